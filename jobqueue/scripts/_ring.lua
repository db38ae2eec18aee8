-- A doorbell holds at most one token. Workers that are not waiting look before they wait, so a token
-- that nobody takes may fade. A key that is no list rings nothing, and hinders nothing.
local function ring(bell)
  if redis.pcall("LLEN", bell) == 0 then
    redis.call("RPUSH", bell, "1")
    redis.call("EXPIRE", bell, 60)
  end
end

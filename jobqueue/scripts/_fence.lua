-- Only a living run may act: one that was recovered is gone from `runs`, and its worker must begin anew.
if not redis.call("ZSCORE", KEYS[1], ARGV[1]) then
  return redis.error_reply("LOSTRUN " .. ARGV[1] .. " was recovered by another process")
end
local kind = redis.call("TYPE", KEYS[2]).ok
if kind ~= "hash" and kind ~= "none" then
  return redis.error_reply("WRONGTYPE " .. KEYS[2] .. " is no hash any more: remove it, and its worker goes on")
end

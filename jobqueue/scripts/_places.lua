-- What is taken out of flight must have somewhere to go before anything is written.
local function no_place(key, wanted)
  local kind = redis.call("TYPE", key).ok
  if kind ~= wanted and kind ~= "none" then
    local is_no = wanted == "zset" and " is no sorted set" or " is no list"
    return redis.error_reply("WRONGTYPE " .. key .. is_no .. ", so nothing can be put there")
  end
end

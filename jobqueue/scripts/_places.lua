-- What is taken out of flight must have somewhere to go before anything is written.
local function no_place(key)
  local kind = redis.call("TYPE", key).ok
  if kind ~= "list" and kind ~= "none" then
    return redis.error_reply("WRONGTYPE " .. key .. " is no list, so nothing can be put there")
  end
end

-- What is taken out of flight must have somewhere to go before anything is written.
local function no_place_for_failures(failed)
  local kind = redis.call("TYPE", failed).ok
  if kind ~= "list" and kind ~= "none" then
    return redis.error_reply("WRONGTYPE " .. failed .. " is no list: failures cannot be written")
  end
end

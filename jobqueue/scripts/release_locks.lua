-- Release locks as they were read, if nobody holds them any more: their jobs neither wait nor are in flight.
-- KEYS: 1 unique  2 runs
-- ARGV: 1 namespace prefix  2 "1" to release them in any case  3... digest and value of each
-- Returns the number released.
-- include _locks
-- include _holder
-- Whoever comes here is mostly in flight.
local function is_held(value)
  local id, place, text = read_lock(value)
  return id and (is_in_flight(KEYS[2], ARGV[1], id) or is_at(ARGV[1] .. place, text))
end

local released = 0
for i = 3, #ARGV, 2 do
  if redis.call("HGET", KEYS[1], ARGV[i]) == ARGV[i + 1] then
    if ARGV[2] == "1" or not is_held(ARGV[i + 1]) then
      released = released + redis.call("HDEL", KEYS[1], ARGV[i])
    end
  end
end
return released

-- Release locks as they were read, if nobody holds them any more: their jobs neither wait nor are in flight.
-- KEYS: 1 unique  2 runs
-- ARGV: 1 namespace prefix  2 "1" to release them in any case  3... digest and value of each
-- Returns the number released.
-- include _locks
-- include _holder
local released = 0
for i = 3, #ARGV, 2 do
  if redis.call("HGET", KEYS[1], ARGV[i]) == ARGV[i + 1] then
    if ARGV[2] == "1" or not holder(ARGV[i + 1], KEYS[2], ARGV[1], false) then
      released = released + redis.call("HDEL", KEYS[1], ARGV[i])
    end
  end
end
return released

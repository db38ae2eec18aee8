-- Lets a job wait for its moment, in ms, and wakes a scheduler if nothing else is due so early. Needs _ring.
local function delay(later, bell, moment, member)
  redis.call("ZADD", later, moment, member)
  if redis.call("ZRANK", later, member) == 0 then
    ring(bell)
  end
end

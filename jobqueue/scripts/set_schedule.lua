-- Change an entry of the schedule that stands in Redis, and tell schedulers of both languages.
-- KEYS: 1 persistent_schedules  2 schedules_changed  3 fired  4 paused_schedule  5 wake_scheduler
-- ARGV: 1 name  2 its configuration, or "" to remove it
-- Returns whether there was an entry of that name.
-- The first write of a removal frees: see register.
-- include _ring
local was_there
if ARGV[2] == "" then
  was_there = redis.call("HDEL", KEYS[1], ARGV[1])
  redis.pcall("HDEL", KEYS[3], ARGV[1])
  redis.pcall("SREM", KEYS[4], ARGV[1])
else
  was_there = 1 - redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
end
redis.pcall("SADD", KEYS[2], ARGV[1])
ring(KEYS[5])
return was_there

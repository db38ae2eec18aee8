-- Tell that a run lives; register its worker again if Ruby took it for dead.
-- KEYS: 1 runs  2 workers  3 worker:<id>:started  4 workers:heartbeat
-- ARGV: 1 run  2 worker id  3 time it started  4 time of the heartbeat
-- Returns 1, or 0 if the run was recovered. The first write frees: see register.
if redis.call("ZREM", KEYS[1], ARGV[1]) == 0 then
  return 0
end
local now = redis.call("TIME")
redis.call("ZADD", KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
if redis.pcall("SADD", KEYS[2], ARGV[2]) == 1 then
  redis.call("SET", KEYS[3], ARGV[3])
end
redis.pcall("HSET", KEYS[4], ARGV[2], ARGV[4])
return 1

-- Mark a job in flight as started and show it on its worker's page: it lasts, or may kill its worker.
-- KEYS: 1 runs  2 inflight:<run>  3 worker:<id>
-- ARGV: 1 run  2 token  3 what the page shows
-- Returns 1, or 0 if the token is not in flight. The first write frees: see register.
-- include _fence
local held = redis.call("HGET", KEYS[2], ARGV[2])
if not held then
  return 0
end
redis.call("HDEL", KEYS[2], ARGV[2])
redis.call("HSET", KEYS[2], ARGV[2], "1" .. held:sub(2))
redis.call("SET", KEYS[3], ARGV[3])
return 1

-- Begin a run and make its worker known to Resque's pages.
-- KEYS: 1 runs  2 inflight:<run>  3 workers  4 worker:<id>:started  5 workers:heartbeat
-- ARGV: 1 run  2 worker id  3 time it started  4 time of the heartbeat
-- What is of a wrong type is for the pages alone, and stops no worker.
-- The first write frees, so that a worker may begin, and drain, a full Redis. It frees little: sent again,
-- or a straggler on a connection that its worker gave up, it must not touch what is in flight meanwhile.
redis.call("HDEL", KEYS[2], "worker")
local now = redis.call("TIME")
redis.call("ZADD", KEYS[1], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
redis.call("HSET", KEYS[2], "worker", ARGV[2])
redis.pcall("SADD", KEYS[3], ARGV[2])
redis.call("SET", KEYS[4], ARGV[3])
redis.pcall("HSET", KEYS[5], ARGV[2], ARGV[4])
return 1

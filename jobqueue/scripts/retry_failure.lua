-- Enqueue the job of a failure again and mark its entry as retried, if the entry is still there.
-- KEYS: 1 failed  2 queues  3 queue:<name>  4 wake:<name>  5 wake  6 unique
-- ARGV: 1 the entry as it was read  2 the entry marked as retried  3 queue  4 payload
--       5 index at which the entry was read  6 digest, id and value of the lock of a unique job, which it gets if
--       the lock is free, else three empty texts
-- Returns 1, or nil if the entry is gone. The push comes first: if the queue's key is no list, the script
-- ends there and nothing has changed.
-- include _ring
-- include _locks
local index = tonumber(ARGV[5])
if redis.call("LINDEX", KEYS[1], index) ~= ARGV[1] then
  index = redis.call("LPOS", KEYS[1], ARGV[1], "RANK", -1)
  if not index then
    return nil
  end
end
redis.call("RPUSH", KEYS[3], ARGV[4])
redis.call("LSET", KEYS[1], index, ARGV[2])
if ARGV[6] ~= "" then
  change_lock(KEYS[6], ARGV[6], ARGV[7], ARGV[8])
end
if redis.pcall("SADD", KEYS[2], ARGV[3]) == 1 then
  ring(KEYS[5])
end
ring(KEYS[4])
return 1

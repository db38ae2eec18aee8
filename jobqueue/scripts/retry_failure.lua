-- Enqueue the job of a failure again and mark its entry as retried, if the entry is still there.
--
-- KEYS[1] failed   KEYS[2] queues   KEYS[3] queue:<name>   KEYS[4] wake:<name>   KEYS[5] wake
-- ARGV[1] the entry as it was read   ARGV[2] the entry marked as retried   ARGV[3] name of the queue
-- ARGV[4] payload   ARGV[5] index at which the entry was read
-- Returns 1, or nil if the entry is gone.
--
-- The push comes first: if the queue's key is no list nothing has changed when the script ends there.

local index = tonumber(ARGV[5])
if redis.call('LINDEX', KEYS[1], index) ~= ARGV[1] then
  index = redis.call('LPOS', KEYS[1], ARGV[1], 'RANK', -1)
  if not index then
    return nil
  end
end

local function ring(bell)
  if redis.call('LLEN', bell) == 0 then
    redis.call('RPUSH', bell, 1)
  end
end

redis.call('RPUSH', KEYS[3], ARGV[4])
redis.call('LSET', KEYS[1], index, ARGV[2])
if redis.call('SADD', KEYS[2], ARGV[3]) == 1 then
  ring(KEYS[5])
end
ring(KEYS[4])
return 1

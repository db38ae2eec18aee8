-- Bring delayed jobs of ours to their queues, each once, however many schedulers try; and only if it is still due.
-- KEYS: 1 later  2 queues  3 failed  4 wake  5 unique
-- ARGV: 1 "queue:" prefix  2 "wake:" prefix  3 latest moment in ms that is due  4 number of unique jobs
--       then of each of these its text, digest, id, and the lock's new value, which is empty if the job has to fail;
--       then text of the job, queue, payload, in threes; of one that has to fail no queue, and the failure's entry
-- Returns how many were brought, then the texts of those that stay, since their queue's key is no list.
-- The first write frees: see register.
-- include _ring
-- include _places
-- include _locks
-- include _promote
local reply = {0}
local brought = {}
local first = 5 + 4 * ARGV[4]
for i = first, #ARGV, 3 do
  local moment = redis.call("ZSCORE", KEYS[1], ARGV[i])
  if moment and tonumber(moment) <= tonumber(ARGV[3]) then
    if can_go(ARGV[1], ARGV[i + 1], KEYS[3]) then
      redis.call("ZREM", KEYS[1], ARGV[i])
      bring(ARGV[1], ARGV[i + 1], KEYS[3], ARGV[i + 2])
      reply[1] = reply[1] + 1
      brought[ARGV[i]] = true
    else
      reply[#reply + 1] = ARGV[i]
    end
  end
end
for i = 5, first - 1, 4 do
  if brought[ARGV[i]] then
    change_lock(KEYS[5], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  end
end
announce(KEYS[2], KEYS[4], ARGV[2])
return reply

-- Bring jobs that stand in resque-scheduler's keys to their queues, unless a scheduler of Ruby is the master.
-- KEYS: 1 delayed_queue_schedule  2 "delayed:" prefix  3 "timestamps:" prefix  4 queues  5 failed  6 wake
--       7 resque_scheduler_master_lock; none to bring them whoever is the master
-- ARGV: 1 "queue:" prefix  2 "wake:" prefix  3 time in seconds
--       4... text of the job, queue, payload, in threes; of one that has to fail no queue, and the failure's entry
-- Returns how many were brought, then the texts of those that stay, since their queue's key is no list; {-1}
-- while there is a master. The lock is neither taken nor given back: nobody could see it in between, and a
-- scheduler of Ruby that starts finds it free.
-- include _ring
-- include _places
-- include _promote
-- include _bare
if KEYS[7] and redis.call("EXISTS", KEYS[7]) == 1 then
  return {-1}
end
local reply = {0}
for i = 4, #ARGV, 3 do
  local can_be_brought = can_go(ARGV[1], ARGV[i + 1], KEYS[5])
  if can_be_brought and take(KEYS[1], KEYS[2], KEYS[3], ARGV[3], ARGV[i], 1) == 1 then
    bring(ARGV[1], ARGV[i + 1], KEYS[5], ARGV[i + 2])
    reply[1] = reply[1] + 1
  elseif not can_be_brought then
    reply[#reply + 1] = ARGV[i]
  end
end
if redis.call("EXISTS", KEYS[2] .. ARGV[3]) == 0 then
  redis.call("ZREM", KEYS[1], ARGV[3])
end
announce(KEYS[4], KEYS[6], ARGV[2])
return reply

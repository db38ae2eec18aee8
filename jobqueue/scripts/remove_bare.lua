-- Remove jobs from resque-scheduler's keys.
-- KEYS: 1 delayed_queue_schedule  2 "delayed:" prefix  3 "timestamps:" prefix
-- ARGV: time in seconds, text of the job, how many of these at most, in threes
-- Returns the number removed.
-- include _bare
local removed = 0
for i = 1, #ARGV, 3 do
  removed = removed + take(KEYS[1], KEYS[2], KEYS[3], ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
return removed

-- Let jobs in resque-scheduler's keys wait for another time, those that still wait.
-- KEYS: 1 delayed_queue_schedule  2 "delayed:" prefix  3 "timestamps:" prefix  4 wake_scheduler
-- ARGV: 1 new time in seconds  2... time in seconds, text of the job, how many of these at most, in threes
-- Returns the number moved.
-- include _ring
-- include _bare
local moved = 0
for i = 2, #ARGV, 3 do
  local taken = take(KEYS[1], KEYS[2], KEYS[3], ARGV[i], ARGV[i + 1], ARGV[i + 2])
  for _ = 1, taken do
    if put(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[i + 1]) then
      ring(KEYS[4])
    end
  end
  moved = moved + taken
end
return moved

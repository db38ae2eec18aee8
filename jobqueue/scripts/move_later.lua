-- Let delayed jobs of ours wait for another moment, those that still wait.
-- KEYS: 1 later  2 wake_scheduler
-- ARGV: 1 moment in ms  2... texts of the jobs
-- Returns the number moved.
-- include _ring
-- include _later
local moved = 0
for i = 2, #ARGV do
  if redis.call("ZSCORE", KEYS[1], ARGV[i]) then
    delay(KEYS[1], KEYS[2], ARGV[1], ARGV[i])
    moved = moved + 1
  end
end
return moved

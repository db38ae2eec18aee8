-- Let a paused queue be claimed from again.
-- KEYS: 1 paused  2 queue:<name>  3 wake:<name>
-- ARGV: 1 queue
-- Returns 1 if the queue was paused, else 0.
-- include _ring
local resumed = redis.call("SREM", KEYS[1], ARGV[1])
if redis.call("EXISTS", KEYS[2]) == 1 then
  ring(KEYS[3])
end
return resumed

-- Give back the lock of a unique job that begins, if it is in flight: from now on an equal one may wait.
-- KEYS: 1 runs  2 inflight:<run>  3 unique
-- ARGV: 1 run  2 token  3 digest  4 id of the job
-- Returns 1, or 0 if the token is not in flight.
-- include _fence
-- include _locks
local is_held = redis.call("HEXISTS", KEYS[2], ARGV[2])
if is_held == 1 then
  change_lock(KEYS[3], ARGV[3], ARGV[4], "")
end
return is_held

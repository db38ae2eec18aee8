-- Enqueue a recurring job, unless this tick of its entry, or a later one, has been dealt with, by whom ever. The
-- entry must have begun, and be as it was read.
-- KEYS: 1 fired  2 paused_schedule  3 delayed:last_enqueued_at  4 queue:<name>  5 queues  6 wake:<name>  7 wake
--       8 unique  9 runs  10 persistent_schedules  11 resque_scheduler_master_lock
-- ARGV: 1 name  2 tick in ms  3 what its ticks follow from  4 now, as Ruby writes it  5 queue
--       6 payload, or "" to let the tick pass  7 id of the job  8 digest of its lock, or ""  9 namespace prefix
--       10 the entry as it stands in persistent_schedules, "" if it does not
-- Returns 1 if it was enqueued; 0 if the tick passes, since the entry is paused, a scheduler of Ruby is the master
-- and fires it, or an equal job holds the lock; -1 if nothing was done.
-- include _ring
-- include _places
-- include _locks
-- include _holder
local function has_been(value, tick)
  local last = tonumber(value:match("^(%-?%d+) "))
  -- More is no moment of this millennium, and nothing that was written here
  return last and last < 1e13 and last >= tonumber(tick)
end

local stored = redis.pcall("HGET", KEYS[10], ARGV[1])
if (type(stored) == "string" and stored or "") ~= ARGV[10] then
  return -1
end
local fired = redis.call("HGET", KEYS[1], ARGV[1])
if not fired or has_been(fired, ARGV[2]) then
  return -1
end
local is_paused = redis.pcall("SISMEMBER", KEYS[2], ARGV[1]) == 1
local is_of_ruby = ARGV[10] ~= "" and redis.call("EXISTS", KEYS[11]) == 1
local held = ARGV[8] ~= "" and redis.pcall("HGET", KEYS[8], ARGV[8])
local is_locked = type(held) == "string" and holder(held, KEYS[9], ARGV[9], LONGEST) ~= nil
local passes = ARGV[6] == "" or is_paused or is_of_ruby or is_locked
local refusal = not passes and no_place(KEYS[4], "list")
if refusal then
  return refusal
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2] .. " " .. ARGV[3])
if passes then
  return 0
end
redis.call("RPUSH", KEYS[4], ARGV[6])
if ARGV[8] ~= "" then
  redis.pcall("HSET", KEYS[8], ARGV[8], lock_value(ARGV[7], "queue:" .. ARGV[5], ARGV[6]))
end
redis.pcall("HSET", KEYS[3], ARGV[1], ARGV[4])
if redis.pcall("SADD", KEYS[5], ARGV[5]) == 1 then
  ring(KEYS[7])
end
ring(KEYS[6])
return 1

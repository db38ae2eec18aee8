-- Unregister a dead worker; what it was doing becomes a failure, which counts for nothing, as in Resque.
-- KEYS: 1 runs  2 pruning_dead_workers_in_progress  3 failed  4 workers  5 workers:heartbeat
--       6 worker:<id>  7 worker:<id>:started  8 stat:processed:<id>  9 stat:failed:<id>
-- ARGV: 1 worker id  2 "inflight:" prefix  3 its last heartbeat as it was seen  4 what it was doing as it was
--       seen  5 the failure of that. Each of the last three is "" for none
-- Returns 1; 0 if it is gone, has changed, or has a run, which is recovered instead; -1 while a worker of
-- Ruby prunes: that reads, then writes, then removes, and must not meet a second one. This is one step, and
-- needs no lock of its own.
-- include _places
if redis.call("EXISTS", KEYS[2]) == 1 then
  return -1
end
for _, run in ipairs(redis.call("ZRANGE", KEYS[1], 0, -1)) do
  if redis.pcall("HGET", ARGV[2] .. run, "worker") == ARGV[1] then
    return 0
  end
end

local heartbeat = redis.pcall("HGET", KEYS[5], ARGV[1])
if type(heartbeat) == "table" then
  heartbeat = ""
end
if (heartbeat or "") ~= ARGV[3] or (redis.call("GET", KEYS[6]) or "") ~= ARGV[4] then
  return 0
end
local refusal = ARGV[5] ~= "" and no_place(KEYS[3], "list")
if refusal then
  return refusal
end

-- The first write frees: see register
local removed = redis.call("DEL", KEYS[6], KEYS[7], KEYS[8], KEYS[9])
if ARGV[5] ~= "" then
  redis.call("RPUSH", KEYS[3], ARGV[5])
end
for place, command in ipairs({"SREM", "HDEL"}) do
  local answer = redis.pcall(command, KEYS[3 + place], ARGV[1])
  removed = removed + (type(answer) == "number" and answer or 0)
end
return removed > 0 and 1 or 0

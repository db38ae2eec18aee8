-- Take tokens out of flight and write how their jobs ended, let them wait for their next attempt, or put them
-- back at the head.
-- KEYS: 1 runs  2 inflight:<run>  3 failed  4 stat:processed  5 stat:failed
--       6 stat:processed:<id>  7 stat:failed:<id>  8 worker:<id>  9 queues  10 later  11 wake_scheduler
--       12 unique
-- ARGV: 1 run  2 "queue:" prefix  3 "wake:" prefix  4 number of tokens done  5 failed  6 killed  7 later
--       8 number of changes of locks
--       then token, digest, id and new value of each change, where no value gives the lock back; tokens done;
--       pairs (token, failure entry) of those failed and of those killed, which Resque does not count as failed;
--       triples (token, pause in ms, text) of those that are tried again, processed and not failed; pairs
--       (token, payload) to put back in ascending order of tokens, where an empty payload leaves it as it is
-- Returns the number of tokens that were in flight; others were settled before and count for nothing.
-- include _fence
-- include _ring
-- include _held
-- include _clock
-- include _later
-- include _locks
-- include _places
local done, raised, killed = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local later, locks = tonumber(ARGV[7]), tonumber(ARGV[8])
local first = 9 + 4 * locks
local refusal = raised + killed > 0 and no_place(KEYS[3], "list") or later > 0 and no_place(KEYS[10], "zset")
for i = first + done + 2 * (raised + killed) + 3 * later, #ARGV, 2 do
  local held = redis.call("HGET", KEYS[2], ARGV[i])
  local queue = held and unhold(held)
  refusal = refusal or queue and no_place(ARGV[2] .. queue, "list")
end
if refusal then
  return refusal
end

local changes = {}
for i = 9, first - 1, 4 do
  if redis.call("HEXISTS", KEYS[2], ARGV[i]) == 1 then
    changes[#changes + 1] = i
  end
end

local at = first
local processed, failed = 0, 0
if done > 0 then
  processed = redis.call("HDEL", KEYS[2], unpack(ARGV, at, at + done - 1))
  at = at + done
end

for i = 1, raised + killed do
  if redis.call("HDEL", KEYS[2], ARGV[at]) == 1 then
    redis.call("RPUSH", KEYS[3], ARGV[at + 1])
    processed = processed + 1
    failed = failed + (i <= raised and 1 or 0)
  end
  at = at + 2
end

for i = at, at + 3 * (later - 1), 3 do
  if redis.call("HDEL", KEYS[2], ARGV[i]) == 1 then
    delay(KEYS[10], KEYS[11], now_ms() + ARGV[i + 1], ARGV[i + 2])
    processed = processed + 1
  end
end
at = at + 3 * later

local back = 0
local is_shown = processed > 0
for i = #ARGV - 1, at, -2 do
  local held = redis.call("HGET", KEYS[2], ARGV[i])
  local queue, payload
  if held then
    queue, payload = unhold(held)
  end
  if queue then
    redis.call("HDEL", KEYS[2], ARGV[i])
    redis.call("LPUSH", ARGV[2] .. queue, ARGV[i + 1] ~= "" and ARGV[i + 1] or payload)
    redis.pcall("SADD", KEYS[9], queue)
    ring(ARGV[3] .. queue)
    back = back + 1
    is_shown = is_shown or held:sub(1, 1) == "1"
  end
end

if processed > 0 then
  redis.pcall("INCRBY", KEYS[4], processed)
  redis.pcall("INCRBY", KEYS[6], processed)
end
if is_shown then
  redis.call("DEL", KEYS[8])
end
if failed > 0 then
  redis.pcall("INCRBY", KEYS[5], failed)
  redis.pcall("INCRBY", KEYS[7], failed)
end
for _, i in ipairs(changes) do
  change_lock(KEYS[12], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
return processed + back

-- End a run: deal with all it has in flight and forget its worker. A worker that leaves ends its own run so.
-- KEYS: 1 runs  2 inflight:<run>  3 failed  4 stat:processed  5 queues  6 workers  7 workers:heartbeat
--       8 worker:<id>  9 worker:<id>:started  10 stat:processed:<id>  11 stat:failed:<id>
--       12 later  13 wake_scheduler  14 unique
-- ARGV: 1 run  2 worker id  3 last heartbeat in ms that counts as dead, or "" for at once
--       4 "queue:" prefix  5 "wake:" prefix  6 whether worker:<id> was there, 0 or 1
--       7 number of changes of locks, then token, digest, id and new value of each, where no value gives the lock
--       back;
--       then per token in ascending order: token, ending, text, pause in ms. Endings: "done"; "killed" (text:
--       failure entry; counts as processed, as in Resque) and "failed" (failure entry; counts for nothing);
--       "pruned" (Ruby has failed it; counts for nothing); "later" (tried again after the pause; counts as
--       processed); "back" (payload)
-- Returns 1; 0 if the run is gone or lives; -1 if something else is in flight than the caller knows of, or
-- Ruby has unregistered the worker meanwhile: look again.
-- include _ring
-- include _held
-- include _clock
-- include _later
-- include _locks
-- include _places
local heartbeat = redis.call("ZSCORE", KEYS[1], ARGV[1])
if not heartbeat or (ARGV[3] ~= "" and tonumber(heartbeat) > tonumber(ARGV[3])) then
  return 0
end

if redis.call("EXISTS", KEYS[8]) ~= tonumber(ARGV[6]) then
  return -1
end
local first = 8 + 4 * ARGV[7]
local known = {worker = true, next = true}
for i = first, #ARGV, 4 do
  known[ARGV[i]] = true
end
for _, token in ipairs(redis.call("HKEYS", KEYS[2])) do
  if not known[token] then
    return -1
  end
end

local refusal
for i = first, #ARGV, 4 do
  local ending = ARGV[i + 1]
  if ending == "killed" or ending == "failed" then
    refusal = refusal or no_place(KEYS[3], "list")
  elseif ending == "later" then
    refusal = refusal or no_place(KEYS[12], "zset")
  end
  local held = ending == "back" and redis.call("HGET", KEYS[2], ARGV[i])
  refusal = refusal or held and no_place(ARGV[4] .. unhold(held), "list")
end
if refusal then
  return refusal
end

redis.call("ZREM", KEYS[1], ARGV[1])
for i = 8, first - 1, 4 do
  -- One that was settled meanwhile has had its end
  if redis.call("HEXISTS", KEYS[2], ARGV[i]) == 1 then
    change_lock(KEYS[14], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  end
end
local processed = 0
for i = #ARGV - 3, first, -4 do
  local held = redis.call("HGET", KEYS[2], ARGV[i])
  local ending = ARGV[i + 1]
  if held and ending ~= "back" then
    if ending == "done" or ending == "killed" or ending == "later" then
      processed = processed + 1
    end
    if ending == "killed" or ending == "failed" then
      redis.call("RPUSH", KEYS[3], ARGV[i + 2])
    elseif ending == "later" then
      delay(KEYS[12], KEYS[13], now_ms() + ARGV[i + 3], ARGV[i + 2])
    end
  elseif held then
    local queue = unhold(held)
    redis.call("LPUSH", ARGV[4] .. queue, ARGV[i + 2])
    redis.pcall("SADD", KEYS[5], queue)
    ring(ARGV[5] .. queue)
  end
end
redis.call("DEL", KEYS[2], KEYS[8], KEYS[9], KEYS[10], KEYS[11])
redis.pcall("SREM", KEYS[6], ARGV[2])
redis.pcall("HDEL", KEYS[7], ARGV[2])
if processed > 0 then
  redis.pcall("INCRBY", KEYS[4], processed)
end
return 1

-- Let unique jobs wait for their moments, each unless another job holds its lock, once for each number of a producer.
-- KEYS: 1 sent:<producer>  2 later  3 wake_scheduler  4 unique  5 runs
-- ARGV: 1 number of this push  2 seconds to remember the number  3 namespace prefix
--       4 what becomes of those whose lock another holds: "drop", "replace", "raise" as in enqueue_unique, where a
--       holder that is replaced waits anew; "debounce": the same, but it stays in a queue that it has reached
--       5 for how many ms after it was enqueued "debounce" may postpone a job
--       6... digest, id, moment in ms, text of the delayed job, payload of each
-- Returns for each the id of the job that holds its lock, "" if it was delayed.
-- include _numbered
-- include _ring
-- include _later
-- include _places
-- include _locks
-- include _holder
-- include _once
if is_repeated(KEYS[1], ARGV[1], ARGV[2]) then
  return once_again(KEYS[4], ARGV[4], 6, 5)
end
local refusal = no_place(KEYS[2], "zset")
if refusal then
  return refusal
end
local is_debounced = ARGV[4] == "debounce"

-- The digits of an id of ours have the values of their places here; nine of them tell the time in microseconds.
local DIGITS = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
local function latest(id)
  local microseconds = 0
  for i = 1, 9 do
    local value = DIGITS:find(id:sub(i, i), 1, true)
    if not value or i > #id then
      return math.huge
    end
    microseconds = microseconds * 64 + value - 1
  end
  return math.floor(microseconds / 1000) + ARGV[5]
end

local function wait(digest, id, moment, text)
  delay(KEYS[2], KEYS[3], moment, text)
  redis.call("HSET", KEYS[4], digest, lock_value(id, "later", text))
end

local function put(i)
  wait(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end

local function replace_in_queue(i, id, place, index)
  local text = with_id(ARGV[i + 4], ARGV[i + 1], id)
  redis.call("LSET", ARGV[3] .. place, index, text)
  redis.call("HSET", KEYS[4], ARGV[i], lock_value(id, place, text))
end

-- Nothing is postponed beyond the latest moment, and nothing is brought forward to it.
local function debounced(id, moment, wanted)
  return math.max(math.min(wanted, latest(id)), math.min(wanted, moment))
end

local function replace(i, id, old_text, place, at)
  if is_debounced and place ~= "later" then
    return replace_in_queue(i, id, place, at)
  end
  local moment = tonumber(ARGV[i + 2])
  if is_debounced then
    moment = debounced(id, tonumber(at), moment)
  end
  take_out(ARGV[3] .. place, old_text)
  wait(ARGV[i], id, string.format("%.0f", moment), with_id(ARGV[i + 3], ARGV[i + 1], id))
end

local answers, is_changed = once(KEYS[4], KEYS[5], ARGV[3], ARGV[4], 6, 5, put, replace)
if is_changed then
  note_number(KEYS[1], ARGV[1], ARGV[2])
end
return answers

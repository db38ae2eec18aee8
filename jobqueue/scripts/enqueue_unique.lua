-- Append payloads of unique jobs to a queue, each unless another job holds its lock, once for each number of a
-- producer, and wake a worker.
-- KEYS: 1 sent:<producer>  2 queue:<name>  3 queues  4 wake:<name>  5 wake  6 unique  7 runs
-- ARGV: 1 number of this push  2 seconds to remember the number  3 queue  4 namespace prefix
--       5 what becomes of those whose lock another holds: "drop"; "raise", and of all others too; "replace":
--       the holder gets the payload if it still waits, and keeps its id and in this queue its place; one that is
--       claimed and has not begun is followed by the job
--       6... digest, id, payload of each
-- Returns for each the id of the job that holds its lock, "" if it was enqueued.
-- include _numbered
-- include _ring
-- include _places
-- include _locks
-- include _holder
-- include _once
if is_repeated(KEYS[1], ARGV[1], ARGV[2]) then
  return once_again(KEYS[6], ARGV[5], 6, 3)
end
local refusal = no_place(KEYS[2], "list")
if refusal then
  return refusal
end
local place = "queue:" .. ARGV[3]

local function put(i)
  redis.call("RPUSH", KEYS[2], ARGV[i + 2])
  redis.call("HSET", KEYS[6], ARGV[i], lock_value(ARGV[i + 1], place, ARGV[i + 2]))
end

local function replace(i, id, old_text, old_place, at)
  local text = with_id(ARGV[i + 2], ARGV[i + 1], id)
  if old_place == place then
    redis.call("LSET", KEYS[2], at, text)
  else
    take_out(ARGV[4] .. old_place, old_text)
    redis.call("RPUSH", KEYS[2], text)
  end
  redis.call("HSET", KEYS[6], ARGV[i], lock_value(id, place, text))
end

local answers, is_changed = once(KEYS[6], KEYS[7], ARGV[4], ARGV[5], 6, 3, put, replace)
if is_changed then
  note_number(KEYS[1], ARGV[1], ARGV[2])
  if redis.pcall("SADD", KEYS[3], ARGV[3]) == 1 then
    ring(KEYS[5])
  end
  ring(KEYS[4])
end
return answers

-- Lets unique jobs in, each unless another one holds its lock. Jobs stand in ARGV from `first` on, `width` values
-- each, which begin with digest and id and end with the payload. Needs _locks and _holder.

-- Returns a text up to a job's id, and from there on.
local function parted(text, id)
  local field = '"id":"' .. id .. '"'
  local from = text:find(field, 1, true)
  if from then
    return text:sub(1, from - 1), text:sub(from + #field)
  end
end

-- Returns a text with the id of another job.
local function with_id(text, own, id)
  local before, after = parted(text, own)
  return before .. '"id":"' .. id .. '"' .. after
end

-- Tells whether a job in flight, whose lock ends when it begins, and so has not begun, has other arguments.
local function is_outdated(digest, id, text, own, payload)
  local is_waiting = text:find('"unique":"queued:' .. digest .. '"', 1, true)
  return is_waiting and parted(text, id) ~= parted(payload, own)
end

-- `mode` says what becomes of those that may not come in: "drop"; "raise" lets none of them in; of others
-- `replace` is called for one whose holder waits, with its place in ARGV, and the holder's id, text and place, and
-- where it stands there. A holder in flight cannot be replaced: if it is outdated, the newer one is let in.
-- Returns the holders' ids, "" for those that were let in by `put`, and whether anything has changed.
local function once(locks, runs, prefix, mode, first, width, put, replace)
  local answers, seen = {}, {}
  local replaces = mode ~= "drop" and mode ~= "raise"
  local function holder_of(i)
    return holder(redis.call("HGET", locks, ARGV[i]), runs, prefix, replaces and math.huge or LONGEST)
  end
  if mode == "raise" then
    local is_refused = false
    for i = first, #ARGV, width do
      local id = holder_of(i) or seen[ARGV[i]]
      seen[ARGV[i]] = id or ARGV[i + 1]
      answers[#answers + 1] = id or ""
      is_refused = is_refused or id ~= nil
    end
    if is_refused then
      return answers, false
    end
    answers = {}
  end
  local is_changed = false
  for i = first, #ARGV, width do
    local id, text, place, at = holder_of(i)
    if id and replaces and place then
      replace(i, id, text, place, at)
      is_changed = true
    elseif not id or replaces and is_outdated(ARGV[i], id, text, ARGV[i + 1], ARGV[i + width - 1]) then
      put(i)
      id, is_changed = "", true
    end
    answers[#answers + 1] = id
  end
  return answers, is_changed
end

-- Returns the same answers again, as far as they can be known: the jobs were let in, or not, before.
local function once_again(locks, mode, first, width)
  local answers = {}
  for i = first, #ARGV, width do
    local value = mode ~= "raise" and redis.call("HGET", locks, ARGV[i])
    local id = value and read_lock(value)
    answers[#answers + 1] = id and id ~= ARGV[i + 1] and id or ""
  end
  return answers
end

-- Removes a waiting job.
local function take_out(key, text)
  if redis.call("TYPE", key).ok == "zset" then
    redis.call("ZREM", key, text)
  else
    redis.call("LREM", key, -1, text)
  end
end

-- Lets unique jobs in, each unless another one holds its lock. Jobs stand in ARGV from `first` on, `width` values
-- each, which begin with digest and id. Needs _locks and _holder.
-- `mode` says what becomes of those that may not come in: "drop"; "raise" lets none of them in; else `replace`
-- is called for one whose holder waits, with its place in ARGV and id, place and text of the holder.
-- Returns the holders' ids, "" for those that were let in by `put`, and whether any was.
local function once(locks, runs, prefix, mode, first, width, put, replace)
  local answers, seen = {}, {}
  local function holder_of(i)
    return holder(redis.call("HGET", locks, ARGV[i]), runs, prefix, true)
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
  local is_any = false
  for i = first, #ARGV, width do
    local id, place, text = holder_of(i)
    if not id then
      put(i)
      is_any = true
    elseif place and mode ~= "drop" then
      replace(i, id, place, text)
    end
    answers[#answers + 1] = id or ""
  end
  return answers, is_any
end

-- Returns the same answers again, as far as they can be known: the jobs were let in, or not, before.
local function once_again(locks, first, width)
  local answers = {}
  for i = first, #ARGV, width do
    local value = redis.call("HGET", locks, ARGV[i])
    local id = value and read_lock(value)
    answers[#answers + 1] = id and id ~= ARGV[i + 1] and id or ""
  end
  return answers
end

-- Returns a text with the id of another job.
local function with_id(text, own, id)
  local from, to = text:find('"id":"' .. own .. '"', 1, true)
  return text:sub(1, from - 1) .. '"id":"' .. id .. '"' .. text:sub(to + 1)
end

-- Removes a waiting job and tells whether it was there.
local function take_out(key, text)
  if redis.call("TYPE", key).ok == "zset" then
    return redis.call("ZREM", key, text) == 1
  end
  return redis.call("LREM", key, 1, text) == 1
end

-- Who holds a lock and still waits or is in flight. A job that nobody has any more, because it was taken away
-- by hand or by a worker of Ruby, locks nothing. Needs _locks.
local LONGEST = 1000 -- jobs of a queue that is looked through only to see that a holder is there

-- Returns the index of a job in a queue, or the moment of a delayed one; nothing if it is not there.
local function is_at(key, text)
  local kind = redis.call("TYPE", key).ok
  if kind == "zset" then
    return redis.call("ZSCORE", key, text) or nil
  end
  -- From the tail: what is looked for was mostly enqueued a moment ago
  return kind == "list" and redis.call("LPOS", key, text, "RANK", -1) or nil
end

local in_flight, unread = {}, nil -- ids in the runs that were read, and the other runs: each is read once

local function note_ids(payload)
  local _, before = payload:find('"id":"', 1, true)
  while before do
    local behind = payload:find('"', before + 1, true) or 0
    in_flight[payload:sub(before + 1, behind - 1)] = true
    _, before = payload:find('"id":"', before, true)
  end
end

local function is_in_flight(runs, prefix, id)
  unread = unread or redis.call("ZRANGE", runs, 0, -1)
  while not in_flight[id] and #unread > 0 do
    local held = redis.pcall("HVALS", prefix .. "inflight:" .. table.remove(unread))
    for _, payload in ipairs(held.err and {} or held) do
      note_ids(payload)
    end
  end
  return in_flight[id] == true
end

-- Returns id and text of who holds a lock and, if it waits, its place and where it stands there; nothing if nobody
-- does. A lock's word is taken for a queue of more than `longest` jobs: it is not looked through.
local function holder(value, runs, prefix, longest)
  local id, place, text
  if value then
    id, place, text = read_lock(value)
  end
  if not id then
    return nil
  end
  local length = redis.pcall("LLEN", prefix .. place)
  if type(length) == "number" and length > longest then
    return id, text, place
  end
  local at = is_at(prefix .. place, text)
  if at then
    return id, text, place, at
  elseif is_in_flight(runs, prefix, id) then
    return id, text
  end
end

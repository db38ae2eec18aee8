-- Who holds a lock and still waits or is in flight. A job that nobody has any more, because it was taken away
-- by hand or by a worker of Ruby, locks nothing. Needs _locks.
local function is_in(key, text)
  local kind = redis.call("TYPE", key).ok
  if kind == "zset" then
    return redis.call("ZSCORE", key, text) ~= false
  end
  return kind == "list" and redis.call("LPOS", key, text) ~= false
end

local function is_in_flight(runs, prefix, id)
  local field = '"id":"' .. id .. '"'
  for _, run in ipairs(redis.call("ZRANGE", runs, 0, -1)) do
    local held = redis.pcall("HVALS", prefix .. "inflight:" .. run)
    for _, payload in ipairs(held.err and {} or held) do
      if payload:find(field, 1, true) then
        return true
      end
    end
  end
  return false
end

-- Returns the id of who holds a lock, and where and as which text it waits, unless it is in flight; nothing if
-- nobody does. Asked to be quick it takes a lock's word for a place that is long to look through.
local function holder(value, runs, prefix, is_quick)
  local id, place, text
  if value then
    id, place, text = read_lock(value)
  end
  if not id then
    return nil
  end
  local length = is_quick and redis.pcall("LLEN", prefix .. place)
  if is_quick and (type(length) == "number" and length > 1000 or is_in(prefix .. place, text)) then
    return id, place, text
  elseif is_in_flight(runs, prefix, id) then
    return id
  elseif not is_quick and is_in(prefix .. place, text) then
    return id, place, text
  end
end

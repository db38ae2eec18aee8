-- Locks of unique jobs stand in a hash: digest -> "<id> <bytes of place>:<place><text>", who holds it, where
-- that job waits or has waited ("queue:<name>" or "later"), and as which text. A job in flight is known by its
-- id. A key of a wrong type locks nothing, and hinders no job.
local function lock_value(id, place, text)
  return id .. " " .. #place .. ":" .. place .. text
end

-- Returns id, place and text; nothing for what no script has written.
local function read_lock(value)
  local id, length, from = value:match("^(%S+) (%d+):()")
  local to = from and from + tonumber(length)
  if to and to <= #value + 1 then
    return id, value:sub(from, to - 1), value:sub(to)
  end
end

-- Changes the lock of a job that has begun or ended, with no value, or that waits again: that takes it, unless
-- another job has taken it meanwhile.
local function change_lock(locks, digest, id, value)
  local held = redis.pcall("HGET", locks, digest)
  local is_own = type(held) == "string" and held:sub(1, #id + 1) == id .. " "
  if value == "" and is_own then
    redis.call("HDEL", locks, digest)
  elseif value ~= "" and (is_own or not held) then
    redis.pcall("HSET", locks, digest, value)
  end
end

-- A payload in flight is held as "<started 0|1>:<bytes of queue>:<queue><payload>".
-- Returns what stands there before a payload that has not started.
local function holder(queue)
  return "0:" .. #queue .. ":" .. queue
end

-- Returns queue and payload; nothing for what no script has written.
local function unhold(held)
  local length, from = held:match("^[01]:(%d+):()")
  local to = from and from + tonumber(length)
  if to and to <= #held + 1 then
    return held:sub(from, to - 1), held:sub(to)
  end
end

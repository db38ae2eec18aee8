-- A payload in flight is held as "<started 0|1>:<bytes of queue>:<queue><payload>".
local function hold(queue, payload)
  return "0:" .. #queue .. ":" .. queue .. payload
end

local function unhold(held)
  local length, from = held:match("^[01]:(%d+):()")
  local to = from + tonumber(length)
  return held:sub(from, to - 1), held:sub(to)
end

-- Returns the time by Redis' clock in ms: those of workers may differ.
local function now_ms()
  local now = redis.call("TIME")
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

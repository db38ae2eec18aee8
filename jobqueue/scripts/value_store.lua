-- Store a result of a background value, or that there is none any more, unless something newer stands there.
-- KEYS: 1 value:<name>
-- ARGV: 1 the run's ticket  2 JSON of the result, or "" to forget the value
--       3 seconds after which nothing remains of a forgotten value
-- Returns 1 if it was stored, 0 if something newer stands there, -1 if Redis does not know the ticket:
-- it has lost its last moments, and the run must take another.
local ticket = tonumber(ARGV[1])
if ticket > tonumber(redis.call("HGET", KEYS[1], "ticket") or 0) then
  return -1
end
if ticket <= tonumber(redis.call("HGET", KEYS[1], "done") or 0) then
  return 0
end
if ARGV[2] == "" then
  redis.call("HDEL", KEYS[1], "value", "at")
  redis.call("HSET", KEYS[1], "done", ARGV[1])
  redis.call("EXPIRE", KEYS[1], ARGV[3])
else
  local now = redis.call("TIME")
  local at = now[1] .. string.format("%03d", math.floor(now[2] / 1000))
  redis.call("HSET", KEYS[1], "done", ARGV[1], "value", ARGV[2], "at", at)
  redis.call("PERSIST", KEYS[1])
end
return 1

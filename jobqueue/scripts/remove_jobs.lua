-- Remove payloads from a queue by their exact texts.
-- KEYS: 1 queue:<name>
-- ARGV: payloads
-- Returns the number removed.
local removed = 0
for _, payload in ipairs(ARGV) do
  removed = removed + redis.call("LREM", KEYS[1], 0, payload)
end
return removed

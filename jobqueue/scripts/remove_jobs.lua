-- Remove payloads from a queue by their exact texts.
-- KEYS: 1 queue:<name>  2 unique
-- ARGV: payload, digest, id of each; the last two are empty for one that is not unique
-- Returns the number removed.
-- include _locks
local removed = 0
for i = 1, #ARGV, 3 do
  local found = redis.call("LREM", KEYS[1], 0, ARGV[i])
  if found > 0 and ARGV[i + 1] ~= "" then
    change_lock(KEYS[2], ARGV[i + 1], ARGV[i + 2], "")
  end
  removed = removed + found
end
return removed

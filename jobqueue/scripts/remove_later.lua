-- Remove delayed jobs of ours.
-- KEYS: 1 later  2 unique
-- ARGV: text of the job, digest, id of each; the last two are empty for one that is not unique
-- Returns the number removed.
-- include _locks
local removed = 0
for i = 1, #ARGV, 3 do
  if redis.call("ZREM", KEYS[1], ARGV[i]) == 1 then
    removed = removed + 1
    if ARGV[i + 1] ~= "" then
      change_lock(KEYS[2], ARGV[i + 1], ARGV[i + 2], "")
    end
  end
end
return removed

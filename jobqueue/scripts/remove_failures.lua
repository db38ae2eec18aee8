-- Remove entries of the Failed list by their text, each once, those that are still there.
-- KEYS: 1 failed
-- ARGV: 1 a text that stands nowhere in the list  2... an index and the entry read there, in pairs, ascending
-- Returns the number removed.
-- One LREM for each would walk the whole list each time, so all but the first are overwritten in place and
-- removed together. The first is removed directly: a full Redis runs a script whose first write frees memory.
local removed = redis.call("LREM", KEYS[1], 1, ARGV[3])
local marked = 0
for i = 4, #ARGV, 2 do
  local index = tonumber(ARGV[i]) - removed
  if redis.call("LINDEX", KEYS[1], index) ~= ARGV[i + 1] then
    index = redis.call("LPOS", KEYS[1], ARGV[i + 1])
  end
  if index then
    redis.call("LSET", KEYS[1], index, ARGV[1])
    marked = marked + 1
  end
end
if marked > 0 then
  redis.call("LREM", KEYS[1], marked, ARGV[1])
end
return removed + marked

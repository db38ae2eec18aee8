-- Give a run of a background value its ticket, which tells how new what it is about to read will be.
-- KEYS: 1 value:<name>
-- ARGV: 1 number of the request that the run is to answer, or "" if it has none
-- Returns the ticket, or nil if a stored result began after the request was made and so answers it.
local asked = tonumber(ARGV[1])
local done = tonumber(redis.call("HGET", KEYS[1], "done"))
if asked and done and done > asked then
  return false
end
return redis.call("HINCRBY", KEYS[1], "ticket", 1)

-- Append payloads to a queue, once for each number of a producer, and wake a worker.
-- KEYS: 1 sent:<producer>  2 queue:<name>  3 queues  4 wake:<name>  5 wake
-- ARGV: 1 number of this push  2 queue  3 seconds to remember the number  4... payloads
-- Returns 1, or 0 if this number, or a later one, was pushed before: it is a repetition, or a straggler
-- on a connection that its producer gave up.
-- The push comes first: if the queue's key is no list, the script ends there and nothing has changed.
-- The set of queues is for the pages and for patterns: of a wrong type, it stops no push.
-- Neither does what is no number of a push.
-- include _ring
local last = redis.pcall("GET", KEYS[1])
if type(last) ~= "string" or #last > 15 or not last:find("^%d+$") then
  last = 0
end
if tonumber(last) >= tonumber(ARGV[1]) then
  -- A write, so that a WAIT after it waits for what was pushed before: Valkey 9 counts writes alone
  redis.call("EXPIRE", KEYS[1], ARGV[3])
  return 0
end
redis.call("RPUSH", KEYS[2], unpack(ARGV, 4))
redis.call("SET", KEYS[1], ARGV[1], "EX", ARGV[3])
if redis.pcall("SADD", KEYS[3], ARGV[2]) == 1 then
  ring(KEYS[5])
end
ring(KEYS[4])
return 1

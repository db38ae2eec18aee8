-- Append payloads to a queue, once for each number of a producer, and wake a worker.
-- KEYS: 1 sent:<producer>  2 queue:<name>  3 queues  4 wake:<name>  5 wake
-- ARGV: 1 number of this push  2 seconds to remember the number  3 queue  4... payloads
-- Returns 1, or 0 if it was pushed before.
-- The push comes first: if the queue's key is no list, the script ends there and nothing has changed.
-- The set of queues is for the pages and for patterns: of a wrong type, it stops no push.
-- include _numbered
-- include _ring
if is_repeated(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
redis.call("RPUSH", KEYS[2], unpack(ARGV, 4))
note_number(KEYS[1], ARGV[1], ARGV[2])
if redis.pcall("SADD", KEYS[3], ARGV[3]) == 1 then
  ring(KEYS[5])
end
ring(KEYS[4])
return 1

-- Remove a queue with all jobs that wait in it, and with its pause.
-- KEYS: 1 queues  2 paused  3 queue:<name>  4 wake:<name>
-- ARGV: 1 queue
-- Returns 1. A script and no transaction, which a full Redis refuses even if it frees. What is of a wrong
-- type hinders nothing.
redis.pcall("SREM", KEYS[1], ARGV[1])
redis.pcall("SREM", KEYS[2], ARGV[1])
redis.call("DEL", KEYS[3], KEYS[4])
return 1

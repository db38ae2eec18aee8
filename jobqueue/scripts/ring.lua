-- Ring a doorbell.
-- KEYS: 1 wake, or wake:<queue>
-- ARGV: none
-- Returns 1. The first write frees: see register.
-- include _ring
redis.call("DEL", KEYS[1])
ring(KEYS[1])
return 1

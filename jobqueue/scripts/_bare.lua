-- Puts a job into resque-scheduler's keys, and takes it out of them. Values there name keys without the prefix.
-- Ruby's index of times is kept true where Ruby forgets: a job that equals one taken out stays in it.
-- Returns whether its time is a new one, and the first.
local function put(times, lists, indexes, time, text)
  redis.call("RPUSH", lists .. time, text)
  redis.call("SADD", indexes .. text, "delayed:" .. time)
  return redis.call("ZADD", times, time, time) == 1 and redis.call("ZRANK", times, time) == 0
end

-- So many bytes are looked through for another job that is equal: where one second has very many, each look
-- through all of them would take long.
local LOOKED_THROUGH = 50000

-- Takes out up to `most` jobs of a text, from the first on. Returns how many there were. The first write frees: see
-- register.
local function take(times, lists, indexes, time, text, most)
  local taken = redis.call("LREM", lists .. time, most, text)
  if taken > 0 and not redis.call("LPOS", lists .. time, text, "MAXLEN", math.ceil(LOOKED_THROUGH / #text)) then
    redis.call("SREM", indexes .. text, "delayed:" .. time)
  end
  if redis.call("EXISTS", lists .. time) == 0 then
    redis.call("ZREM", times, time)
  end
  return taken
end

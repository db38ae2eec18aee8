-- Puts a job into resque-scheduler's keys, and takes it out of them. Values there name keys without the prefix.
-- Ruby's index of times is kept true where Ruby forgets: a job that equals one taken out stays in it.
-- Returns whether its time is a new one, and the first.
local function put(times, lists, indexes, time, text)
  redis.call("RPUSH", lists .. time, text)
  redis.call("SADD", indexes .. text, "delayed:" .. time)
  return redis.call("ZADD", times, time, time) == 1 and redis.call("ZRANK", times, time) == 0
end

-- Takes out as many as `most`, all if it is 0, from the first on; looks for others among the next `within`, in
-- all if it is 0. Returns how many there were. The first write frees: see register.
local function take(times, lists, indexes, time, text, most, within)
  local taken = redis.call("LREM", lists .. time, most, text)
  if taken > 0 and (tonumber(most) == 0 or not redis.call("LPOS", lists .. time, text, "MAXLEN", within)) then
    redis.call("SREM", indexes .. text, "delayed:" .. time)
  end
  if redis.call("EXISTS", lists .. time) == 0 then
    redis.call("ZREM", times, time)
  end
  return taken
end

-- Only a living run may act: one that was recovered is gone from `runs`, and its worker must begin anew.
if not redis.call("ZSCORE", KEYS[1], ARGV[1]) then
  return redis.error_reply("LOSTRUN " .. ARGV[1] .. " was recovered by another process")
end

-- What a producer sends has a number, ascending, which stands in sent:<producer> once it is done.
-- Returns whether this number, or a later one, was done before: it is a repetition, or a straggler on a
-- connection that its producer gave up. What is no number of a producer hinders nothing.
local function is_repeated(sent, number, seconds)
  local last = redis.pcall("GET", sent)
  if type(last) ~= "string" or #last > 15 or not last:find("^%d+$") or tonumber(last) < tonumber(number) then
    return false
  end
  -- A write, so that a WAIT after it waits for what was written before: Valkey 9 counts writes alone
  redis.call("EXPIRE", sent, seconds)
  return true
end

local function note_number(sent, number, seconds)
  redis.call("SET", sent, number, "EX", seconds)
end

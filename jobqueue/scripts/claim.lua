-- Take payloads from the first queue that is neither paused nor empty into flight.
-- KEYS: 1 runs  2 inflight:<run>  3 paused  4 pause-all-workers
-- ARGV: 1 run  2 first token  3 most  4 "queue:" prefix  5 "wake:" prefix
--       6 queue whose doorbell woke the worker, or ""  7... queues in order
-- Returns {queue, payload, ...}, or {} when there is nothing to do. A claim whose first token is in
-- flight already is one whose answer was lost: it gets the same jobs again. One whose first token was
-- claimed and settled long ago is a straggler on a connection that its worker gave up: nobody waits for it.
-- What is of a wrong type pauses nothing.
-- The doorbell of a queue that still holds jobs is rung again, so that no wake-up ends with one worker.
-- include _fence
-- include _ring
-- include _held

local function again(token)
  local reply = {}
  local held = redis.call("HGET", KEYS[2], token)
  local first = unhold(held)
  if not first then
    return redis.error_reply("ERR " .. KEYS[2] .. " holds under " .. token .. " what is no job in flight")
  end
  while held do
    local queue, payload = unhold(held)
    if queue ~= first then
      break -- another claim's
    end
    reply[#reply + 1] = payload
    token = token + 1
    held = redis.call("HGET", KEYS[2], token)
  end
  return {first, unpack(reply)}
end

local function is_pausing()
  local value = redis.pcall("GET", KEYS[4])
  return type(value) == "string" and value:lower():match("^%s*(.-)%s*$") == "true"
end

local first = tonumber(ARGV[2])
local seen = redis.call("HMGET", KEYS[2], first, "next")
if seen[1] then
  return again(first)
elseif first < (tonumber(seen[2] or 1) or 1) then
  return {}
end
if is_pausing() then
  return {}
end

local any_paused = redis.call("EXISTS", KEYS[3]) == 1
local function is_paused(queue)
  return any_paused and redis.pcall("SISMEMBER", KEYS[3], queue) == 1
end

local reply = {}
for i = 7, #ARGV do
  local queue = ARGV[i]
  if not is_paused(queue) then
    -- A key that is no list is nobody's queue: the page complains, the other queues go on.
    local payloads = redis.pcall("LPOP", ARGV[4] .. queue, ARGV[3])
    local refusal = payloads and payloads.err
    if refusal and not refusal:find("WRONGTYPE", 1, true) then
      -- Redis takes no writes now: that says nothing about the queue. Its own words follow its script's place
      return redis.error_reply(refusal:match("%u%u+ .*"))
    elseif payloads and not refusal then
      local fields, before = {}, holder(queue)
      for offset, payload in ipairs(payloads) do
        fields[2 * offset - 1] = first + offset - 1
        fields[2 * offset] = before .. payload
      end
      redis.call("HSET", KEYS[2], "next", first + #payloads, unpack(fields))
      if #payloads == tonumber(ARGV[3]) and redis.call("EXISTS", ARGV[4] .. queue) == 1 then
        ring(ARGV[5] .. queue)
      else
        redis.call("DEL", ARGV[5] .. queue)
      end
      reply = {queue, unpack(payloads)}
      break
    end
  end
end

local woken = ARGV[6]
if woken ~= "" and woken ~= reply[1] and not is_paused(woken) and redis.call("EXISTS", ARGV[4] .. woken) == 1 then
  -- A worker that leaves looks at no queue, and the first write must free: see register
  redis.call("DEL", ARGV[5] .. woken)
  ring(ARGV[5] .. woken)
end
return reply

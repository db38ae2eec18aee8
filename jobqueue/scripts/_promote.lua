-- Brings due jobs to their queues, or their failures to the Failed list, and then makes the queues known and
-- wakes workers. Needs _ring and _places.
local promoted = {}

-- Returns whether a job has somewhere to go; one without a queue is a failure.
local function can_go(queues_prefix, queue, failed)
  return not no_place(queue == "" and failed or queues_prefix .. queue, "list")
end

local function bring(queues_prefix, queue, failed, text)
  redis.call("RPUSH", queue == "" and failed or queues_prefix .. queue, text)
  if queue ~= "" then
    promoted[queue] = true
  end
end

local function announce(queues, bell, bells_prefix)
  for queue in pairs(promoted) do
    if redis.pcall("SADD", queues, queue) == 1 then
      ring(bell)
    end
    ring(bells_prefix .. queue)
  end
end

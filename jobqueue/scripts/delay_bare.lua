-- Let jobs wait in resque-scheduler's keys, once for each number of a producer.
-- KEYS: 1 sent:<producer>  2 delayed_queue_schedule  3 wake_scheduler  4 "delayed:" prefix
--       5 "timestamps:" prefix
-- ARGV: 1 number of this push  2 seconds to remember the number  3... time in seconds, text of the job, in pairs
-- Returns 1, or 0 if it was done before.
-- include _numbered
-- include _ring
-- include _bare
if is_repeated(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
for i = 3, #ARGV, 2 do
  if put(KEYS[2], KEYS[4], KEYS[5], ARGV[i], ARGV[i + 1]) then
    ring(KEYS[3])
  end
end
note_number(KEYS[1], ARGV[1], ARGV[2])
return 1

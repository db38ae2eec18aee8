-- Let jobs wait for their moments, once for each number of a producer.
-- KEYS: 1 sent:<producer>  2 later  3 wake_scheduler
-- ARGV: 1 number of this push  2 seconds to remember the number  3... moment in ms, text of the job, in pairs
-- Returns 1, or 0 if it was done before.
-- include _numbered
-- include _ring
-- include _later
if is_repeated(KEYS[1], ARGV[1], ARGV[2]) then
  return 0
end
for i = 3, #ARGV, 2 do
  delay(KEYS[2], KEYS[3], ARGV[i], ARGV[i + 1])
end
note_number(KEYS[1], ARGV[1], ARGV[2])
return 1

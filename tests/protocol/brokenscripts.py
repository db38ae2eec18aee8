"""Scripts that are broken on purpose: which one, a part of it, and what stands there instead."""

from __future__ import annotations

BROKEN_SCRIPTS = [
    # A push is appended each time it is sent
    ("enqueue", "note_number(KEYS[1], ARGV[1], ARGV[2])", ""),
    # A recovered run goes on
    ("claim", "-- include _fence", ""),
    ("settle", "-- include _fence", ""),
    # A claim that is sent again takes more
    ("claim", "if seen[1] then", "if false then"),
    # A pause is no pause
    ("claim", "if is_pausing() then", "if false then"),
    ("resume", 'redis.call("SREM", KEYS[1], ARGV[1])', "0"),
    # The newest first
    ("claim", 'redis.pcall("LPOP",', 'redis.pcall("RPOP",'),
    # Jobs that are done are counted each time it is told
    ("settle", 'redis.call("HDEL", KEYS[2], unpack(ARGV, at, at + done - 1))', "done"),
    # A failure is written and the job goes on
    ("settle", 'if redis.call("HDEL", KEYS[2], ARGV[at]) == 1 then', "if true then"),
    # What is put back stays in flight, too
    ("settle", '    redis.call("HDEL", KEYS[2], ARGV[i])\n', ""),
    # It goes to the tail, or to the head in the wrong order
    ("settle", 'redis.call("LPUSH",', 'redis.call("RPUSH",'),
    ("settle", "for i = #ARGV - 1, at, -2 do", "for i = at, #ARGV - 1, 2 do"),
    # It goes back as it was
    ("settle", 'ARGV[i + 1] ~= "" and ARGV[i + 1] or payload', "payload"),
    # A job that is to be tried again is lost, waits and goes on, or ends uncounted
    ("settle", "    delay(KEYS[10], KEYS[11], now_ms() + ARGV[i + 1], ARGV[i + 2])\n", ""),
    ("settle", '  if redis.call("HDEL", KEYS[2], ARGV[i]) == 1 then', "  if true then"),
    ("settle", "ARGV[i + 2])\n    processed = processed + 1", "ARGV[i + 2])"),
    # What comes after it is not found in its place
    ("settle", "at = at + 3 * later\n", ""),
    # Nobody knows that a job has started, or its payload is lost over it
    ("start", '"1" .. held:sub(2)', "held"),
    ("start", 'redis.call("HSET",', 'redis.call("HDEL",'),
    # A dead run stays registered, its jobs are lost, done twice, or in the wrong order
    ("recover", 'redis.call("ZREM", KEYS[1], ARGV[1])', ""),
    ("recover", 'redis.call("LPUSH",', 'redis.call("LLEN",'),
    ("recover", 'redis.call("LPUSH",', 'redis.call("RPUSH",'),
    ("recover", "for i = #ARGV - 3, first, -4 do", "for i = first, #ARGV - 3, 4 do"),
    ("recover", '    if ending == "killed" or ending == "failed" then', "    if true then"),
    ("recover", 'if ending == "done" or ending == "killed" or ending == "later" then', "if true then"),
    ("recover", "      delay(KEYS[12], KEYS[13], now_ms() + ARGV[i + 3], ARGV[i + 2])\n", ""),
    ("recover", ' or ending == "later" then\n      processed', " then\n      processed"),
    # A delayed job comes each time it is told, or never
    ("delay", "note_number(KEYS[1], ARGV[1], ARGV[2])", ""),
    ("_later", 'redis.call("ZADD", later, moment, member)', ""),
    # What is due stays due, is lost, or comes in front of all others
    ("promote", '      redis.call("ZREM", KEYS[1], ARGV[i])\n', ""),
    ("_promote", '  redis.call("RPUSH", queue', '  redis.call("LLEN", queue'),
    ("_promote", '  redis.call("RPUSH", queue', '  redis.call("LPUSH", queue'),
    # A bare job comes each time it is told, never, out of its turn, or unknown to Ruby's index
    ("delay_bare", "note_number(KEYS[1], ARGV[1], ARGV[2])", ""),
    ("_bare", 'redis.call("ZADD", times, time, time) == 1', "false"),
    ("_bare", 'redis.call("RPUSH", lists .. time, text)', 'redis.call("LPUSH", lists .. time, text)'),
    ("_bare", 'redis.call("SADD", indexes .. text, "delayed:" .. time)', ""),
    # Equal ones collapse
    ("_bare", '"LREM", lists .. time, most, text)', '"LREM", lists .. time, 0, text)'),
    ("remove_bare", "ARGV[i + 1], ARGV[i + 2])", "ARGV[i + 1], 0)"),
    ("move_bare", "for _ = 1, taken do", "for _ = 1, math.min(taken, 1) do"),
    # Ruby's index tells of one that is gone, or of no equal one that stays
    ("_bare", 'redis.call("SREM", indexes .. text, "delayed:" .. time)', ""),
    ("_bare", "if taken > 0 and not", "if taken > 0 and true or not"),
    # A time stays without a job, or goes while it has some
    ("_bare", 'redis.call("ZREM", times, time)', ""),
    ("_bare", 'if redis.call("EXISTS", lists .. time) == 0 then', "if true then"),
    ("promote_bare", 'if redis.call("EXISTS", KEYS[2] .. ARGV[3]) == 0 then', "if true then"),
    # Jobs are brought beside Ruby, lost, or brought by each scheduler that has seen them; or they wait twice
    ("promote_bare", 'if KEYS[7] and redis.call("EXISTS", KEYS[7]) == 1 then', "if false then"),
    ("promote_bare", "    bring(ARGV[1], ARGV[i + 1], KEYS[5], ARGV[i + 2])\n", ""),
    ("promote_bare", "ARGV[i], 1) == 1 then", "ARGV[i], 1) then"),
    ("promote_bare", "take(KEYS[1], KEYS[2], KEYS[3], ARGV[3], ARGV[i], 1) == 1", "true"),
    # An operator's call waits for Ruby
    ("promote_bare", "if KEYS[7] and redis", "if redis"),
    # A late registration forgets what is in flight
    ("register", 'redis.call("HDEL", KEYS[2], "worker")', 'redis.call("DEL", KEYS[2])'),
    # A unique job lets its equals in too late, too early, or never
    ("begin", 'change_lock(KEYS[3], ARGV[3], ARGV[4], "")', ""),
    ("settle", "change_lock(KEYS[12], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])", ""),
    ("recover", "change_lock(KEYS[14], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])", ""),
    ("_locks", 'if value == "" and is_own then', 'if value == "" then'),
    ("_locks", 'elseif value ~= "" and (is_own or not held) then', 'elseif value ~= "" then'),
    ("_holder", "elseif is_in_flight(runs, prefix, id) then", "elseif false then"),
    ("release_locks", "not is_held(ARGV[i + 1])", "true"),
    # Its lock does not know where it is
    ("promote", "change_lock(KEYS[5], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])", ""),
    ("enqueue_unique", 'redis.call("HSET", KEYS[6], ARGV[i], lock_value(id, place, text))', ""),
    ("delay_unique", 'redis.call("HSET", KEYS[4], ARGV[i], lock_value(id, place, text))', ""),
    # What is replaced is lost, or stays too
    ("enqueue_unique", 'redis.call("RPUSH", KEYS[2], text)', ""),
    ("_once", 'redis.call("ZREM", key, text)', ""),
    # The last call is dropped for a job that has other arguments, or lets two in that exclude each other
    ("_once", "or replaces and is_outdated(", "or false and is_outdated("),
    ("_once", "local is_waiting = text", "local is_waiting = true or text"),
    ("_once", 'local replaces = mode ~= "drop" and', 'local replaces = mode == "debounce" and'),
    # A call counts each time it is sent
    ("_once", "      is_changed = true\n    elseif", "    elseif"),
    ("enqueue_unique", "  note_number(KEYS[1], ARGV[1], ARGV[2])\n", ""),
    ("delay_unique", "  note_number(KEYS[1], ARGV[1], ARGV[2])\n", ""),
    # A tick comes again and again, or never, or out of its turn
    ("fire", "or has_been(fired, ARGV[2]) then", "then"),
    ("fire", "not fired or has_been(", "fired and has_been("),
    ("set_schedule", 'redis.pcall("HDEL", KEYS[3], ARGV[1])', ""),
    ("set_schedule", 'redis.pcall("SREM", KEYS[4], ARGV[1])', ""),
    ("fire", "last >= tonumber(tick)", "last > tonumber(tick)"),
    ("fire", 'redis.call("HSET", KEYS[1], ARGV[1], ARGV[2] .. " " .. ARGV[3])', ""),
    ("fire", 'redis.call("RPUSH", KEYS[4], ARGV[6])', ""),
    ("fire", "or is_paused or", "or"),
    ("fire", " or is_locked\n", "\n"),
    ("fire", 'redis.pcall("HSET", KEYS[8],', 'redis.pcall("HGET", KEYS[8],'),
    # Operators
    ("retry_failure", 'redis.call("LSET",', 'redis.call("LINDEX",'),
    ("retry_failure", 'redis.call("RPUSH",', 'redis.call("LPUSH",'),
    ("remove_jobs", 'redis.call("LREM", KEYS[1], 0, ARGV[i])', 'redis.call("LLEN", KEYS[1])'),
    ("remove_jobs", 'change_lock(KEYS[2], ARGV[i + 1], ARGV[i + 2], "")', ""),
    ("remove_later", 'if redis.call("ZREM", KEYS[1], ARGV[i]) == 1 then', "if true then"),
    ("remove_later", 'change_lock(KEYS[2], ARGV[i + 1], ARGV[i + 2], "")', ""),
    ("remove_queue", 'redis.call("DEL", KEYS[3], KEYS[4])', ""),
]

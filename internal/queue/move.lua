-- Moves a task that no worker holds, without touching the mail in it.
-- KEYS[1] the task   KEYS[2] pending   KEYS[3] scheduled   KEYS[4] retry
-- KEYS[5] archived, all of one queue
-- ARGV[1] id of the task   ARGV[2] Unix seconds at which it is to run; '' is now
-- ARGV[3] now, Unix ns
-- Returns 'ok', 'none' (there is no such task) or 'active'. A repetition finds the
-- task where it belongs; a pending one keeps its turn.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'none' end
if state == 'active' then return 'active' end
if state == 'pending' and ARGV[2] == '' then return 'ok' end
if state == 'pending' then
  redis.call('LREM', KEYS[2], 0, ARGV[1])
else
  for i = 3, 5 do redis.call('ZREM', KEYS[i], ARGV[1]) end
end
if ARGV[2] == '' then
  redis.call('LPUSH', KEYS[2], ARGV[1])
  redis.call('HSET', KEYS[1], 'state', 'pending', 'pending_since', ARGV[3])
else
  redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
  redis.call('HSET', KEYS[1], 'state', 'scheduled')
  redis.call('HDEL', KEYS[1], 'pending_since')
end
return 'ok'

-- Takes tasks that wait in asynq's retry or scheduled set over into its active
-- state, as asynq's own dequeue script does with pending ones.
-- KEYS[1] the queue's pause flag  KEYS[2] retry set   KEYS[3] scheduled set
-- KEYS[4] active list             KEYS[5] leases      KEYS[6…] the tasks' hashes
-- ARGV[1] end of the lease, Unix s                    ARGV[2…] the tasks' ids
-- Returns for each task its message, or why not: 1 it is active, or the queue is
-- paused; 2 it does not wait. A repetition finds what it took active: it takes
-- nothing twice, but nobody has those tasks in hand then.
local waits = {retry = KEYS[2], scheduled = KEYS[3]}
local paused = redis.call('EXISTS', KEYS[1]) == 1
local out = {}
for i = 2, #ARGV do
  local id, task = ARGV[i], KEYS[4 + i]
  local h = redis.call('HMGET', task, 'state', 'msg')
  local set, msg = waits[h[1]], h[2]
  if h[1] == 'active' or (set and paused) then
    out[i - 1] = 1
  elseif set and msg and redis.call('ZREM', set, id) == 1 then
    redis.call('LPUSH', KEYS[4], id)
    redis.call('HSET', task, 'state', 'active')
    redis.call('HDEL', task, 'pending_since')
    redis.call('ZADD', KEYS[5], ARGV[1], id)
    out[i - 1] = msg
  else
    out[i - 1] = 2
  end
end
return out

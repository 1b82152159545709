-- Notes that a worker should look at a backlog, not later than that.
-- KEYS[1] index   ARGV[1] account   ARGV[2] Unix ms
-- The score changes in any case: a process that has found the backlog empty a moment
-- ago sees by it that it may be no more.
local old = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '')
local due = tonumber(ARGV[2])
if old then due = math.min(old - 1, due) end
redis.call('ZADD', KEYS[1], string.format('%.0f', due), ARGV[1])
return 1

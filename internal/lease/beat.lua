-- Says that a process lives, and which do not.
-- KEYS[1] the processes: a sorted set, the score is when each has said so last (Unix ms
--         by the clock of Redis)
-- ARGV[1] this process
-- ARGV[2] ms after which one that says nothing has ended
-- ARGV[3] ms after which it is forgotten
-- Returns those that have ended, and are not forgotten.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('ZADD', KEYS[1], now, ARGV[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])

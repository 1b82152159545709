-- Says that a process lives, and forgets those that have been silent for long.
-- KEYS[1] when each was heard last: a sorted set (Unix ms by the clock of Redis)
-- KEYS[2] what each says of itself: a hash
-- ARGV[1] this process
-- ARGV[2] what it says
-- ARGV[3] ms after which a silent one is forgotten
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1

-- Writes down mails with their states, and forgets those whose records have ended.
-- KEYS[1] sorted set: entry by state and time   KEYS[2] sorted set: entry by its end
-- ARGV[1] now, Unix ms
-- ARGV[2…] score, end (Unix ms), entry: a mail that is there gets the new state and end
-- Each call forgets at most 500 that have ended, and at least twice as many as it adds, so
-- that the sets do not grow with what is over. Returns 1.
for i = 2, #ARGV, 3 do
  redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 2])
  redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i + 2])
end
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, math.max(500, #ARGV))
for first = 1, #over, 500 do
  local last = math.min(first + 499, #over)
  redis.call('ZREM', KEYS[1], unpack(over, first, last))
  redis.call('ZREM', KEYS[2], unpack(over, first, last))
end
local latest = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if latest[2] then
  redis.call('PEXPIREAT', KEYS[1], latest[2])
  redis.call('PEXPIREAT', KEYS[2], latest[2])
end
return 1

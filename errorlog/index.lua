-- Forgets the tenants without a recent entry, and notes new entries if there are any.
--
-- KEYS[1]  ZSET: tenant -> time of its newest entry in Unix ms
-- ARGV[1]  oldest time to keep, Unix ms
-- ARGV[2]  TTL in ms from the last write on
-- ARGV[3…] time in Unix ms, tenant, time, tenant …
--
-- Returns nil when it was given tenants, else all that it knows.

local index, oldest, ttl = KEYS[1], ARGV[1], ARGV[2]

for i = 3, #ARGV, 2 do
  redis.call('ZADD', index, 'GT', ARGV[i], ARGV[i + 1])
end
redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. oldest)
if #ARGV > 2 then
  redis.call('PEXPIRE', index, ttl)
  return
end
return redis.call('ZRANGE', index, 0, -1)

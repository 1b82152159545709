-- Says that a worker is there, renews the leases of what it tries, and takes the next
-- requests.
--
-- KEYS  1 waiting   2 running   3 workers
-- ARGV  1 the lease in ms   2 how many requests may be taken   3... ids under way here
-- Returns the ids that were taken.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1])
redis.call('SET', KEYS[3], '1', 'PX', lease)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
for i = 3, #ARGV do redis.call('ZADD', KEYS[2], now + lease, ARGV[i]) end
local taken = {}
for _ = 1, tonumber(ARGV[2]) do
  local id = redis.call('LPOP', KEYS[1])
  if not id then break end
  redis.call('ZADD', KEYS[2], now + lease, id)
  taken[#taken + 1] = id
end
redis.call('PEXPIRE', KEYS[2], lease)
return taken

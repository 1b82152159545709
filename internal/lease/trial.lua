-- Takes a lease for a connection that somebody waits for: a test mail, an examination.
-- It is counted at once, over the limit, so that what becomes free is not taken by a
-- mail. One waits at a time.
-- KEYS[1] as in take.lua          KEYS[2] the lease that waits
-- ARGV[1] the lease                     ARGV[2] how many leases there may be
-- ARGV[3] ms that a lease lasts         ARGV[4] ms that KEYS[2] is kept: longer than
--                                       it takes to ask again
-- Returns 'taken', or 'wait': ask again, or release the lease.
local waiting = redis.call('GET', KEYS[2])
if waiting and waiting ~= ARGV[1] then
  return 'wait'
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[2]) then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
  return 'wait'
end
redis.call('DEL', KEYS[2])
return 'taken'

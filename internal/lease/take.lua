-- Takes a lease for one more open connection of an account.
-- KEYS[1] the account's leases: a sorted set, the score is when a lease ends (Unix
--         ms by the clock of Redis: that of a worker does not matter)
-- KEYS[2] the fingerprint with which somebody has logged in; or, followed by
--         '/…', the lease whose connection is trying it
-- ARGV[1] the lease: fingerprint/name   ARGV[2] fingerprint
-- ARGV[3] how many leases there may be
-- ARGV[4] ms that a lease lasts         ARGV[5] ms that KEYS[2] is kept
-- Returns 'full'; else the lease is taken: 'proven', or 'first' if nobody has
-- logged in with this fingerprint. Until that has ended there is no second one.
-- Taking the same lease twice is taking it once: a reply was lost.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ends = now + ARGV[4]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for _, lease in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ends + 1, '+inf')) do
  redis.call('ZADD', KEYS[1], ends, lease) -- the clock was set back
end

local login = redis.call('GET', KEYS[2])
local proven = login == ARGV[2]
if login and not proven and login ~= ARGV[1] and string.sub(login, 1, #ARGV[2] + 1) == ARGV[2] .. '/'
  and redis.call('ZSCORE', KEYS[1], login) then
  return 'full'
end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return 'full'
end
redis.call('ZADD', KEYS[1], ends, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if proven then
  redis.call('PEXPIRE', KEYS[2], ARGV[5])
  return 'proven'
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[5])
return 'first'

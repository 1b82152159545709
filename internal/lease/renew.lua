-- Renews a lease, or brings it back: its connection is open, whatever was thought
-- of its process meanwhile.
-- KEYS[1], KEYS[2] as in take.lua
-- ARGV[1] the lease                     ARGV[2] its fingerprint once its connection
--                                       has logged in, before that ''
-- ARGV[3] ms that a lease lasts         ARGV[4] ms that KEYS[2] is kept
-- Returns 1.
local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
end
return 1

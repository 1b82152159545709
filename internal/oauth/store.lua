-- Stores a new access token together with the refresh token that came with it,
-- and lets go of the lock.
-- KEYS[1] the grant's hash   KEYS[2] its lock
-- ARGV[1] who asked          ARGV[2] revision that the refresh token was read at
-- ARGV[3] ms until the hash may be forgotten
-- ARGV[4…] fields and values
-- Returns 'ok', or 'stale': another token was stored meanwhile, nothing is written.
local current = (redis.call('HGET', KEYS[1], 'v') or '0') == ARGV[2]
if current then
  redis.call('HSET', KEYS[1], 'v', ARGV[2] + 1, unpack(ARGV, 4))
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
if current then return 'ok' end
return 'stale'

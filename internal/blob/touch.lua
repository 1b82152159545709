-- Notes who needs a blob, and prolongs it.
-- KEYS[1] the blob   KEYS[2] its users
-- ARGV[1] Unix ms until which it is needed
-- ARGV[2…] Unix ms and user, in pairs; nobody for a blob of an older version
-- Returns 1 if it is there, else 0: who stores it then is among its users already, so
-- nobody who leaves takes it away. Its end never moves closer; one without an end, which
-- an operator has made to stay, stays.
if ARGV[2] then
  redis.call('ZADD', KEYS[2], 'GT', unpack(ARGV, 2))
  local ttl = redis.call('PTTL', KEYS[2])
  redis.call('PEXPIREAT', KEYS[2], ARGV[1], ttl == -1 and 'NX' or 'GT')
end
local ttl = redis.call('PTTL', KEYS[1])
if ttl == -2 then return 0 end
if ttl ~= -1 then redis.call('PEXPIREAT', KEYS[1], ARGV[1], 'GT') end
return 1

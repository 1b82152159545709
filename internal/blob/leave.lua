-- Ends the need of one user for a blob.
-- KEYS[1] the blob   KEYS[2] its users
-- ARGV[1] the user   ARGV[2] Unix ms until which it needs the blob, or '': no more
-- ARGV[3] Unix ms that it needed the blob until, or '': whatever that was. If it has
-- changed since, nothing happens.
-- Returns 1, or 0 if nothing was to do. The blob ends with the last who needs it; one
-- without an end stays.
--
-- PERSIST, and not ZADD, is the first to write: Redis lets a script that has begun to
-- write go on when its memory is full, and leaving must not fail then.
local before = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not before or ARGV[3] ~= '' and tonumber(before) ~= tonumber(ARGV[3]) then return 0 end
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('PERSIST', KEYS[2])
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
end
local last = redis.call('ZRANGE', KEYS[2], 0, 0, 'REV', 'WITHSCORES')[2]
if last then
  redis.call('PEXPIREAT', KEYS[2], last)
end
if redis.call('PTTL', KEYS[1]) == -1 then return 1 end
if last then
  redis.call('PEXPIREAT', KEYS[1], last)
else
  redis.call('UNLINK', KEYS[1])
end
return 1

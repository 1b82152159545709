-- Stores or deletes a record, if it still has the version from which the change
-- was made, notes the change, and tells all processes.
--
-- KEYS[1] hash of the tenant's records
-- KEYS[2] the tenant's audit stream
-- KEYS[3] sorted set of the tenant's users with a record
-- ARGV[1] field of the record
-- ARGV[2] version the change was made from; 0: there was none
-- ARGV[3] the record as JSON; empty: delete it
-- ARGV[4] channel, ARGV[5] message for it
-- ARGV[6] audit entry as JSON, ARGV[7] length to which the stream is trimmed
-- ARGV[8] id of the user whose record it is; empty: the tenant's or the platform's
-- Returns {1, new version}, or {0, version that is there} and changes nothing.
local version = 0
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  version = tonumber(redis.call('HGET', KEYS[1], '#' .. ARGV[1]))
end
if version ~= tonumber(ARGV[2]) then
  return {0, version}
end
local new = redis.call('HINCRBY', KEYS[1], '#' .. ARGV[1], 1)
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[8])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  if ARGV[8] ~= '' then
    redis.call('ZADD', KEYS[3], 0, ARGV[8])
  end
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], '*', 'change', ARGV[6])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return {1, new}

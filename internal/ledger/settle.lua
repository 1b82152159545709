-- Writes the verdicts of an attempt.
-- KEYS[1] the job's hash
-- ARGV[1] token of the attempt  ARGV[2] Unix ms at which the record ends
-- ARGV[3] 1 if the attempt counts, else 0
-- ARGV[4] number of recipient fields
-- ARGV[5…] that many field, value pairs, then other field, value pairs
-- A recipient that was accepted stays accepted. A note of another attempt stays.
-- Returns the revision of the record.
local n = tonumber(ARGV[4])
local i = 5
for _ = 1, n do
  local old = redis.call('HGET', KEYS[1], ARGV[i])
  if not old or string.sub(old, 1, 9) ~= 'accepted|' then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
  i = i + 2
end
if ARGV[i] then redis.call('HSET', KEYS[1], unpack(ARGV, i)) end
local sd = redis.call('HGET', KEYS[1], 'sd')
if sd and string.sub(sd, 1, #ARGV[1] + 1) == ARGV[1] .. ' ' then redis.call('HDEL', KEYS[1], 'sd') end
if ARGV[3] == '1' then redis.call('HINCRBY', KEYS[1], 'a', 1) end
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'v', 1)

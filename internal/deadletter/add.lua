-- Notes a mail that has failed, and takes off the oldest of the tenant that are too many.
-- KEYS[1] ZSET: key of the job -> Unix ms until which it is kept
-- KEYS[2] hash: key of the job -> bytes and what it consists of; '' -> the sum of bytes
-- ARGV[1] now, Unix ms   ARGV[2] until when the mail is kept, Unix ms
-- ARGV[3] most bytes; 0: no limit
-- ARGV[4] key of the job   ARGV[5] its bytes   ARGV[6] what it consists of
-- Returns {key, until, what it consists of, …} of those that were taken off before their
-- time. The newest stays, whatever its size.
local function take(key)
  local bytes, parts = string.match(redis.call('HGET', KEYS[2], key) or '0 ', '^(%d+) (.*)$')
  redis.call('ZREM', KEYS[1], key)
  redis.call('HDEL', KEYS[2], key)
  redis.call('HINCRBY', KEYS[2], '', -bytes)
  return parts
end

-- It changes nothing that counts, for the end is set below. But Redis lets a script that
-- has begun to write go on when its memory is full, and this one makes room.
redis.call('PERSIST', KEYS[1])
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, 1000)) do take(key) end
if redis.call('HEXISTS', KEYS[2], ARGV[4]) == 1 then take(ARGV[4]) end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[4], ARGV[5] .. ' ' .. ARGV[6])
local sum = redis.call('HINCRBY', KEYS[2], '', ARGV[5])

local most, taken = tonumber(ARGV[3]), {}
while most > 0 and sum > most and #taken < 3000 do
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 1, 'WITHSCORES')
  local at = oldest[1] == ARGV[4] and 3 or 1 -- others may have failed in the same millisecond
  if not oldest[at] then break end
  local parts = take(oldest[at])
  sum = tonumber(redis.call('HGET', KEYS[2], ''))
  local n = #taken
  taken[n + 1], taken[n + 2], taken[n + 3] = oldest[at], oldest[at + 1], parts
end
for i = 1, 2 do redis.call('PEXPIREAT', KEYS[i], ARGV[2]) end
return taken

-- Prolongs a blob.
-- KEYS[1] the blob   ARGV[1] Unix ms until which it is needed
-- Returns 1 if it is there, else 0. Its end never moves closer.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local now = redis.call('TIME')
local left = tonumber(ARGV[1]) - (now[1] * 1000 + math.floor(now[2] / 1000))
if redis.call('PTTL', KEYS[1]) < left then redis.call('PEXPIREAT', KEYS[1], ARGV[1]) end
return 1

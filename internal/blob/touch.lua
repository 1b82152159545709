-- Prolongs a blob.
-- KEYS[1] the blob   ARGV[1] Unix ms until which it is needed
-- Returns 1 if it is there, else 0. Its end never moves closer; one without an
-- end, which an operator has made to stay, stays.
local ttl = redis.call('PTTL', KEYS[1])
if ttl == -2 then return 0 end
local now = redis.call('TIME')
local left = tonumber(ARGV[1]) - (now[1] * 1000 + math.floor(now[2] / 1000))
if ttl ~= -1 and ttl < left then redis.call('PEXPIREAT', KEYS[1], ARGV[1]) end
return 1

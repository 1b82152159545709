-- Puts a job off to another time, or brings it forward, unless it is past its dot.
-- KEYS[1] the job's hash
-- ARGV[1] now, Unix ms   ARGV[2] Unix ms of the new time: its age counts from there
-- ARGV[3] Unix ms at which the record ends, unless it lives longer
-- ARGV[4] the event
-- Returns {verdict, state before, queue}: verdict is 'ok', 'unknown', 'final' or
-- 'sending'. A repetition finds the job scheduled for that time, and notes no
-- second event.
local h = redis.call('HMGET', KEYS[1], 's', 'sd', 'q', 'd')
local s, q = h[1], h[3] or ''
if not s then return {'unknown', '', ''} end
if h[2] then return {'sending', s, q} end
if final(s) then return {'final', s, q} end
redis.call('HSET', KEYS[1], 's', 'scheduled', 'd', ARGV[2], 'u', ARGV[1])
redis.call('HDEL', KEYS[1], 'x')
redis.call('HINCRBY', KEYS[1], 'v', 1)
redis.call('PEXPIREAT', KEYS[1], ARGV[3], 'GT')
if s ~= 'scheduled' or h[4] ~= ARGV[2] then note(KEYS[1], ARGV[4]) end
return {'ok', s, q}

-- Lists backlogs at which a worker should look by now.
-- KEYS[1] index   ARGV[1] see clock.lua
-- ARGV[2] how many at most   ARGV[3] 0 to 1, drawn by lot: if there are more, which
-- Returns accounts and scores by turns.
local n = tonumber(ARGV[2])
local more = redis.call('ZCOUNT', KEYS[1], '-inf', now) - n
local from = 0
if more > 0 then from = math.floor(ARGV[3] * (more + 1)) end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', from, n)

-- Takes a record back whose task Redis has refused.
-- KEYS[1] the job's hash   ARGV[1] nonce of the Send that opened it
-- Returns 1, or 0 if it is another one's, or somebody has worked with it.
local h = redis.call('HMGET', KEYS[1], 'n', 's', 'v', 'sd')
if h[1] ~= ARGV[1] or h[3] or h[4] or (h[2] ~= 'queued' and h[2] ~= 'scheduled') then return 0 end
return redis.call('DEL', KEYS[1])

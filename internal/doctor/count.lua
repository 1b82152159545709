-- Counts a check in the window of its key, which the first one opens.
-- KEYS[1] the counter
-- ARGV[1] checks allowed in a window   ARGV[2] length of a window, ms
-- Returns 0 if the check is allowed, else the ms until the window ends.
local n = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if n <= tonumber(ARGV[1]) then return 0 end
return math.max(redis.call('PTTL', KEYS[1]), 1)

-- Lets go of a lock, if it is still one's own.
-- KEYS[1] the lock   ARGV[1] who asked
-- Returns 1, or 0: it was not.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0

-- Takes a request back, and what belongs to it.
--
-- KEYS  1 waiting   2 request   3 answer   4 tenant
-- ARGV  1 the id
-- Returns 1 if no worker had taken it, else 0.
redis.call('DEL', KEYS[2], KEYS[3])
if redis.call('GET', KEYS[4]) == ARGV[1] then redis.call('DEL', KEYS[4]) end
return redis.call('LREM', KEYS[1], 0, ARGV[1]) > 0 and 1 or 0

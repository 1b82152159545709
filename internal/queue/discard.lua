-- Deletes a task that is archived.
-- KEYS[1] the task   KEYS[2] archived, of the same queue   ARGV[1] id of the task
-- Returns 1, or 0 if it is not archived.
if redis.call('HGET', KEYS[1], 'state') ~= 'archived' then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])

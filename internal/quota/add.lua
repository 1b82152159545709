-- Adds to what waits for a tenant, or takes off, whatever the limits are.
-- KEYS[1] hash: tenant -> mails   KEYS[2] hash: tenant -> bytes
-- ARGV[1] tenant   ARGV[2] mails   ARGV[3] bytes, both negative to give back
-- Returns {mails, bytes} that wait then. Without a mail there are no bytes.
--
-- PERSIST changes nothing: neither key has an end. But Redis lets a script that has
-- begun to write go on when its memory is full, and giving back must not fail then.
if tonumber(ARGV[2]) < 0 then redis.call('PERSIST', KEYS[1]) end
local mails = redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])
local bytes = redis.call('HINCRBY', KEYS[2], ARGV[1], ARGV[3])
if mails <= 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
  return {0, 0}
end
if bytes < 0 then
  redis.call('HSET', KEYS[2], ARGV[1], 0)
  bytes = 0
end
return {mails, bytes}

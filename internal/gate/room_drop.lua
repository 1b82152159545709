-- Takes a mail out of its room, and gives up the place that pull has granted it.
-- KEYS see account.lua   ARGV[2] mail
redis.call('ZREM', room, ARGV[2])
redis.call('HDEL', rate, 'n' .. ARGV[2])
if string.match(redis.call('HGET', held, ARGV[2]) or '-', '(%S+)$') ~= '-' then redis.call('HDEL', held, ARGV[2]) end
return 1

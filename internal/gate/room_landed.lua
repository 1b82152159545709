-- Notes that mails that were pulled have come to a worker: they do not return to the
-- room by themselves any more. Those that have entered, and count, are left alone.
-- KEYS see account.lua   ARGV[2…] mails
for i = 2, #ARGV do
  if string.match(redis.call('HGET', held, ARGV[i]) or '-', '(%S+)$') ~= '-' then redis.call('HDEL', held, ARGV[i]) end
end

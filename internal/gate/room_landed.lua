-- Notes that mails that were pulled have come to a worker: they do not return to the
-- room by themselves any more. Those that have entered, and count, are left alone,
-- and those that were pulled again since: that is another grant.
-- KEYS see account.lua   ARGV[2…] mails and the names of their grants by turns
for i = 2, #ARGV, 2 do
  local grant, place = string.match(redis.call('HGET', held, ARGV[i]) or '', '^(%d+) %d+ (%S+)$')
  if grant == ARGV[i + 1] and place ~= '-' then redis.call('HDEL', held, ARGV[i]) end
end

-- Acknowledges received mails: they do not return to the backlog by themselves any
-- more. It leaves those alone that acquired a place, and count, and those that were
-- received again since: they have another receipt.
-- KEYS see account.lua   ARGV[2…] mails and the handles of their receipts by turns
for i = 2, #ARGV, 2 do
  local handle, place = string.match(redis.call('HGET', inflight, ARGV[i]) or '', '^(%d+) %d+ (%S+)$')
  if handle == ARGV[i + 1] and place ~= '-' then redis.call('HDEL', inflight, ARGV[i]) end
end

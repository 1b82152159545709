-- Puts a mail into the backlog of its account unless it is there.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2] channel   ARGV[3] message for it: there is something to receive
-- ARGV[4] mail      ARGV[5] its priority class   ARGV[6] Unix ms: look at the backlog then
-- ARGV[7] why it waits
-- A place that a receipt has granted is given up, and the mail returns to where it
-- stood. One that acquired its place and has not released it counts as if it had.
-- Returns 1 if the index must be told of ARGV[6], else 0.
local mail = ARGV[4]
local empty = redis.call('EXISTS', backlog) == 0
local place = string.match(redis.call('HGET', inflight, mail) or '', '(%S+)$')
if place == '-' then
  open(redis.call('HGET', rates, 'l'), mail)
  count(mails[mail].n)
  close()
  place = nil
end
redis.call('HDEL', inflight, mail)
redis.call('HSET', rates, 'why', ARGV[7])
local again = enqueue(mail, ARGV[5], place)
return announce(empty, again, tonumber(ARGV[6]), ARGV[3])

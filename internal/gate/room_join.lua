-- Puts a mail into the room of its account unless it is there.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2] channel   ARGV[3] message for it: there is something to pull
-- ARGV[4] mail      ARGV[5] its priority class   ARGV[6] Unix ms: look at the room then
-- A place that pull has granted is given up, and the mail returns to where it stood.
-- One that entered and has not left is counted as if it had.
-- Returns 1 if the index must be told of ARGV[6], else 0.
local mail = ARGV[4]
local empty = redis.call('EXISTS', room) == 0
local place = string.match(redis.call('HGET', held, mail) or '', '(%S+)$')
if place == '-' then
  open(redis.call('HGET', rate, 'l'), mail)
  count(mails[mail].n)
  close()
  place = nil
end
redis.call('HDEL', held, mail)
local again = arrive(mail, ARGV[5], place)
return announce(empty, again, tonumber(ARGV[6]), ARGV[3])

-- Grants a mail a place within the limits of its account, or puts it into the backlog.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2] channel   ARGV[3] message for it: there is something to receive
-- ARGV[4] mail      ARGV[5] its priority class
-- ARGV[6] limits: per minute, hour, day, recipients per day; 0: none
-- ARGV[7] recipients
-- A mail in flight is granted its place again. Others go behind those in the backlog
-- of the same class or a better one. Without limits no mail is refused, or in flight.
-- Returns {1 if granted else 0, Unix ms at which a place may be free, 1 if the index
-- must be told of that else 0}.
local mail, class, limits, n = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local empty = redis.call('EXISTS', backlog) == 0
if redis.call('HGET', rates, 'l') ~= limits then redis.call('HSET', rates, 'l', limits) end
open(limits, mail)
local own = mails[mail]
if own then untake(mail) end

local due, behind
if not own and #windows > 0 then
  local first = redis.call('ZRANGE', backlog, 0, 0, 'WITHSCORES')
  behind = first[1] and first[1] ~= mail and math.floor(first[2] / 1e13) <= class
end
if not own or own.place ~= '-' then due = blocked(n) end
if not due and not behind then
  redis.call('ZREM', backlog, mail)
  redis.call('HDEL', rates, 'n' .. mail)
  if #windows > 0 then keep(mail, n, '-') else redis.call('HDEL', inflight, mail) end
  close()
  return {1, 0, 0}
end
redis.call('HDEL', inflight, mail)
if n > 1 then redis.call('HSET', rates, 'n' .. mail, n) end
local again = enqueue(mail, class, own and own.place)
local message = not due and ARGV[3] -- before that nobody can receive
due = math.ceil(due or now)
redis.call('HSET', rates, 'why', 'rate')
local tell = announce(empty, again, due, message)
close()
return {0, due, tell}

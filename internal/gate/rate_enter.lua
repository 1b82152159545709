-- Grants a mail a place within the limits of its account, or puts it into the room.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2] channel   ARGV[3] message for it: there is something to pull
-- ARGV[4] mail      ARGV[5] its priority class
-- ARGV[6] limits: per minute, hour, day, recipients per day; 0: none
-- ARGV[7] recipients
-- Who is held is granted the place again. Others go behind those in the room of the
-- same class or a better one. Without limits nobody is refused, or held.
-- Returns {1 if granted else 0, Unix ms at which a place may be free, 1 if the index
-- must be told of that else 0}.
local mail, class, limits, n = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local empty = redis.call('EXISTS', room) == 0
if redis.call('HGET', rate, 'l') ~= limits then redis.call('HSET', rate, 'l', limits) end
open(limits, mail)
local own = mails[mail]
if own then untake(mail) end

local due, behind
if not own and #windows > 0 then
  local first = redis.call('ZRANGE', room, 0, 0, 'WITHSCORES')
  behind = first[1] and first[1] ~= mail and math.floor(first[2] / 1e13) <= class
end
if not own or own.place ~= '-' then due = blocked(n) end
if not due and not behind then
  redis.call('ZREM', room, mail)
  redis.call('HDEL', rate, 'n' .. mail)
  if #windows > 0 then hold(mail, n, '-') else redis.call('HDEL', held, mail) end
  close()
  return {1, 0, 0}
end
redis.call('HDEL', held, mail)
if n > 1 then redis.call('HSET', rate, 'n' .. mail, n) end
local again = arrive(mail, class, own and own.place)
local message = not due and ARGV[3] -- before that nobody can pull
due = math.ceil(due or now)
local tell = announce(empty, again, due, message)
close()
return {0, due, tell}

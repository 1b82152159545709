-- Takes the first mails out of a room, as many as the limits allow; each of them
-- takes up a place from now on.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2] how many   ARGV[3] limits as for enter; empty: those last seen
-- ARGV[4] 1 if the index will be told of the third answer, else 0
-- Returns {how many are left, Unix ms at which more may go or 0: at once, Unix ms at
-- which somebody should look again or 0: never, the grant's name, mail, score, mail,
-- score …}.
-- If the reply is lost, or who pulled them dies: a mail that has not landed or entered
-- when its time is over returns to the room.
local n, limits = tonumber(ARGV[2]), ARGV[3]
local known = redis.call('HGET', rate, 'l')
if limits == '' then
  limits = known
elseif limits ~= (known or '0 0 0 0') then
  redis.call('HSET', rate, 'l', limits)
end
open(limits)
local list = redis.call('ZRANGE', room, 0, n, 'WITHSCORES') -- one more: when may it go?
local answer = {0, 0, 0, string.format('%.0f', now + HOLD)}
local due
for i = 1, #list, 2 do
  local mail, recipients = list[i], 1
  if #windows > 0 then recipients = tonumber(redis.call('HGET', rate, 'n' .. mail) or 1) end
  due = blocked(recipients)
  if due or i > 2 * n then break end
  hold(mail, recipients, list[i + 1])
  returns = returns or now + HOLD
  answer[#answer + 1] = mail
  answer[#answer + 1] = list[i + 1]
end
if #answer > 4 then redis.call('ZREMRANGEBYRANK', room, 0, (#answer - 4) / 2 - 1) end
answer[1] = redis.call('ZCARD', room)
answer[2] = math.ceil(due or 0)
if answer[1] > 0 then answer[3] = math.ceil(due or now + SOON) else answer[3] = math.ceil(returns or 0) end
if ARGV[4] == '1' and answer[1] > 0 then redis.call('HSET', rate, 'due', string.format('%.0f', answer[3])) end
close()
return answer

-- Takes the first mails out of a backlog, as many as the limits allow; each of them
-- is in flight from now on.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2] how many   ARGV[3] limits as for acquire; empty: those last seen
-- ARGV[4] 1 if the index will be told of the third answer, else 0
-- Returns {how many are left, Unix ms at which more may go or 0: at once, Unix ms at
-- which a worker should look again or 0: never, the handle of the receipts, mail,
-- score, mail, score …}.
-- If the reply is lost, or the process that received them dies: a mail that is neither
-- acknowledged nor acquired within the visibility timeout returns to the backlog.
local n, limits = tonumber(ARGV[2]), ARGV[3]
local known = redis.call('HGET', rates, 'l')
if limits == '' then
  limits = known
elseif limits ~= (known or '0 0 0 0') then
  redis.call('HSET', rates, 'l', limits)
end
open(limits)
local list = redis.call('ZRANGE', backlog, 0, n, 'WITHSCORES') -- one more: when may it go?
local answer = {0, 0, 0, string.format('%.0f', now + VISIBILITY)}
local due
for i = 1, #list, 2 do
  local mail, recipients = list[i], 1
  if #windows > 0 then recipients = tonumber(redis.call('HGET', rates, 'n' .. mail) or 1) end
  due = blocked(recipients)
  if due or i > 2 * n then break end
  keep(mail, recipients, list[i + 1])
  returns = returns or now + VISIBILITY
  answer[#answer + 1] = mail
  answer[#answer + 1] = list[i + 1]
end
if #answer > 4 then redis.call('ZREMRANGEBYRANK', backlog, 0, (#answer - 4) / 2 - 1) end
answer[1] = redis.call('ZCARD', backlog)
answer[2] = math.ceil(due or 0)
if answer[1] > 0 then answer[3] = math.ceil(due or now + SOON) else answer[3] = math.ceil(returns or 0) end
if ARGV[4] == '1' and answer[1] > 0 then redis.call('HSET', rates, 'due', string.format('%.0f', answer[3])) end
close()
return answer

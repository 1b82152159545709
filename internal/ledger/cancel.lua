-- Cancels a job that is not past its dot, or one that is held as uncertain.
-- KEYS[1] the job's hash
-- ARGV[1] now, Unix ms   ARGV[2] Unix ms at which the record ends
-- ARGV[3] the event if nobody has the mail, ARGV[4] if some have it
-- Returns {verdict, state before, queue, tenant, mails, bytes}, of which the last three
-- say what waits less, if anything: verdict is 'ok', 'unknown', 'final' or 'sending'. A repetition after a lost reply changes nothing: it hears that the
-- job has ended, canceled.
local h = redis.call('HMGET', KEYS[1], 's', 'sd', 'q')
local s = h[1]
if not s then return {'unknown', '', ''} end
if h[2] then return {'sending', s, h[3] or ''} end
if final(s) and s ~= 'uncertain' then return {'final', s, h[3] or ''} end
local state, event = 'canceled', ARGV[3]
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if string.match(fields[i], '^r%d+$') and string.sub(fields[i + 1], 1, 9) == 'accepted|' then state, event = 'partly', ARGV[4] end
end
redis.call('HSET', KEYS[1], 's', state, 'u', ARGV[1])
redis.call('HDEL', KEYS[1], 'x')
redis.call('HINCRBY', KEYS[1], 'v', 1)
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
note(KEYS[1], event)
return {'ok', s, h[3] or '', change(KEYS[1], s, state)}

-- Notes, before the final dot, which recipients are about to get the mail.
-- KEYS[1] the job's hash
-- ARGV[1] tenant           ARGV[2] revision the worker knows
-- ARGV[3] token            ARGV[4] now, Unix ms
-- ARGV[5] recipient indexes, comma separated
-- ARGV[6] all recipients, one a line (for a record that was lost)
-- ARGV[7] Unix ms at which the record ends
-- Returns 'ok', or why not: 'taken' (another tenant's id), 'stale' (read the
-- record and decide again).
local h = redis.call('HMGET', KEYS[1], 't', 's', 'v', 'sd')
if h[1] and h[1] ~= ARGV[1] then return 'taken' end
if (h[3] or '0') ~= ARGV[2] then return 'stale' end
if h[4] then
  -- Redis ran the script before, and its answer was lost.
  if string.sub(h[4], 1, #ARGV[3] + 1) == ARGV[3] .. ' ' then return 'ok' end
  return 'stale'
end
local s = h[2]
if s == 'accepted' or s == 'partly' or s == 'failed' or s == 'uncertain' or s == 'expired' or s == 'canceled' or s == 'bounced' then
  return 'stale'
end
if h[1] then
  redis.call('HSET', KEYS[1], 's', 'sending', 'u', ARGV[4], 'sd', ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
else
  redis.call('HSET', KEYS[1], 's', 'sending', 'u', ARGV[4], 'sd', ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5], 't', ARGV[1], 'to', ARGV[6])
  redis.call('PEXPIREAT', KEYS[1], ARGV[7])
end
return 'ok'

-- Notes, before the final dot, which recipients are about to get the mail.
-- KEYS[1] the job's hash
-- ARGV[1] token of the attempt   ARGV[2] revision that it knows
-- ARGV[3] now, Unix ms           ARGV[4] recipient indexes, comma separated
-- ARGV[5] Unix ms at which a record that was lost ends
-- ARGV[6] tenant                 ARGV[7] the Message-ID with which the mail leaves
-- ARGV[8…] fields and values of a lost record
-- Returns 'ok', or why not: 'taken' (another tenant's id), 'stale' (read the
-- record and decide again). The same attempt may arm twice: a reply was lost.
local h = redis.call('HMGET', KEYS[1], 't', 's', 'v', 'sd')
if h[1] and h[1] ~= ARGV[6] then return 'taken' end
local own = h[4] and string.sub(h[4], 1, #ARGV[1] + 1) == ARGV[1] .. ' '
if (h[3] or '0') ~= ARGV[2] or (h[4] and not own) then return 'stale' end
if final(h[2]) then return 'stale' end
local sending = {KEYS[1], 's', 'sending', 'u', ARGV[3], 'sd', ARGV[1] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4], 'm', ARGV[7]}
local written = redis.pcall('HSET', unpack(sending))
if type(written) == 'table' then
  -- The memory of Redis is full, and a mail that is in hand should leave all the same. A
  -- script that has begun to write may go on; no record has a field without a name.
  redis.call('HDEL', KEYS[1], '')
  redis.call('HSET', unpack(sending))
end
if not h[1] then
  redis.call('HSET', KEYS[1], unpack(ARGV, 8))
  redis.call('PEXPIREAT', KEYS[1], ARGV[5])
end
return 'ok'

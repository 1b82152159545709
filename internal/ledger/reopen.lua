-- Puts a job on its way again: one that waits at once, one that has ended to the
-- recipients who have not got it.
-- KEYS[1] the job's hash
-- ARGV[1] now, Unix ms: its age counts from here
-- ARGV[2] Unix ms at which the record ends, unless it lives longer
-- ARGV[3] the event
-- Returns {verdict, state before, queue, tenant, mails, bytes}, of which the last three
-- say what waits more, if anything: verdict is 'ok', 'unknown', 'sending', or
-- 'nothing' (nobody is left to send it to). A repetition finds the job queued, and
-- notes no second event; the revision rises all the same, so that whoever has read
-- the record before must read it again.
local f = {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do f[fields[i]] = fields[i + 1] end
local s, q = f.s, f.q or ''
if not s then return {'unknown', '', ''} end
if f.sd then return {'sending', s, q} end
if s == 'accepted' or s == 'canceled' or s == 'bounced' then return {'nothing', s, q} end
if final(s) then
  local _, breaks = string.gsub(f.to or '', '\n', '')
  local open, again, twice = breaks + 1, {}, false
  for field, value in pairs(f) do
    local state = string.match(field, '^r%d+$') and string.match(value, '^[^|]*')
    if state == 'accepted' or state == 'bounced' or state == 'suppressed' then
      open = open - 1
    elseif state then
      again[#again + 1] = field -- without a verdict it waits
      twice = twice or state == 'uncertain'
    end
  end
  if open == 0 then return {'nothing', s, q} end
  if #again > 0 then redis.call('HDEL', KEYS[1], unpack(again)) end
  if twice then redis.call('HSET', KEYS[1], 'tw', '1') end
end
redis.call('HSET', KEYS[1], 's', 'queued', 'd', ARGV[1], 'u', ARGV[1])
redis.call('HDEL', KEYS[1], 'x')
redis.call('HINCRBY', KEYS[1], 'v', 1)
redis.call('PEXPIREAT', KEYS[1], ARGV[2], 'GT')
if s ~= 'queued' then note(KEYS[1], ARGV[3]) end
return {'ok', s, q, change(KEYS[1], s, 'queued')}

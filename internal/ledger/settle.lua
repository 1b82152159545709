-- Writes what an attempt has come to.
-- KEYS[1] the job's hash
-- ARGV[1] token of the attempt, or of the note that is put in doubt
-- ARGV[2] revision that it knows   ARGV[3] Unix ms at which the record ends
-- ARGV[4] 1 if the attempt counts, else 0
-- ARGV[5] tenant                   ARGV[6] how many arguments describe a lost record
-- ARGV[7] how many arguments are verdicts
-- ARGV[8] the event, or ''
-- ARGV[9…] fields and values: of a lost record, the verdicts, the state, which
-- begins with 's'
-- Returns 'ok', 'taken' (another tenant's id: nothing is written), or 'stale': the
-- record has changed, or another attempt is armed. Then only two things are
-- written: that a recipient was accepted, and what became of the attempt's own note.
-- A job that had ended as uncertain gets the state that its recipients then have.
-- Behind a blank follows the weight of a job that has ended so: it waits no more.
-- A recipient that was accepted stays accepted. The record of a job that goes on may
-- live longer than ARGV[3]: somebody has put the job off.
local h = redis.call('HMGET', KEYS[1], 't', 'v', 'sd', 's', 'a', 'b')
local function gone(before, after)
  if h[6] and counted(before) and not counted(after) then return ' ' .. h[6] end
  return ''
end

if h[1] and h[1] ~= ARGV[5] then return 'taken' end
local own = h[3] and string.sub(h[3], 1, #ARGV[1] + 1) == ARGV[1] .. ' '
local current = (h[2] or '0') == ARGV[2] and (own or not h[3])

local verdicts = 9 + ARGV[6]
local state = verdicts + ARGV[7]
local set = {}
local repeated = h[4] == ARGV[state + 1] and tonumber(h[2] or 0) == ARGV[2] + 1
local function put(field, value)
  set[#set + 1] = field
  set[#set + 1] = value
end
for i = verdicts, state - 1, 2 do
  local old = redis.call('HGET', KEYS[1], ARGV[i]) or ''
  if old ~= ARGV[i + 1] then repeated = false end
  local stays = string.sub(old, 1, 9) == 'accepted|' or string.sub(old, 1, 8) == 'bounced|'
  if not stays and (current or own or string.sub(ARGV[i + 1], 1, 9) == 'accepted|') then put(ARGV[i], ARGV[i + 1]) end
end
if not current and repeated then return 'ok' .. gone('queued', h[4]) end -- written before, and the reply was lost
if not current and not own and #set == 0 then return 'stale' end

if not h[1] then
  for i = 9, verdicts - 1, 2 do put(ARGV[i], ARGV[i + 1]) end
end
put('v', (h[2] or 0) + 1)
if current then
  for i = state, #ARGV, 2 do put(ARGV[i], ARGV[i + 1]) end
  if ARGV[4] == '1' then put('a', (h[5] or 0) + 1) end
  redis.call('HDEL', KEYS[1], 'sd', 'x')
elseif own then
  redis.call('HDEL', KEYS[1], 'sd')
end
redis.call('HSET', KEYS[1], unpack(set))
if not h[1] or current and final(ARGV[state + 1]) then
  redis.call('PEXPIREAT', KEYS[1], ARGV[3])
elseif current then
  redis.call('PEXPIREAT', KEYS[1], ARGV[3], 'GT')
end
if not current then
  if h[4] == 'uncertain' then resolve(KEYS[1]) end
  return 'stale' .. gone(h[4], redis.call('HGET', KEYS[1], 's'))
end
if ARGV[8] ~= '' then note(KEYS[1], ARGV[8]) end
return 'ok' .. gone(h[4], ARGV[state + 1])

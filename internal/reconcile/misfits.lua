-- Lists those of a page of a set whose tasks do not say that they are in it, or have
-- no mail in them.
-- KEYS the tasks' hashes   ARGV[1] the state that they should be in
-- Returns their positions in KEYS.
local out = {}
for i, task in ipairs(KEYS) do
  if redis.call('HGET', task, 'state') ~= ARGV[1] or redis.call('HEXISTS', task, 'msg') == 0 then out[#out + 1] = i end
end
return out

-- Looks at tasks.
-- KEYS[1…7] see place.lua    KEYS[8…] the tasks' hashes
-- ARGV[1] 1: exactly, which takes a moment for each 100,000 pending tasks; else 0
-- ARGV[2…] the tasks' ids
-- Returns for each id {state, pending since, places, message}; empty is what is not
-- there.
local out = {}
for i = 2, #ARGV do
  local h = redis.call('HMGET', KEYS[6 + i], 'state', 'pending_since', 'msg')
  out[i - 1] = {h[1] or '', h[2] or '', places(ARGV[i], h[1], ARGV[1] == '1'), h[3] or ''}
end
return out

-- Puts a task into one place, or deletes it, if it still is as it was found.
-- KEYS[1…7] see place.lua   KEYS[8] the task's hash
-- ARGV[1] id
-- ARGV[2] state   ARGV[3] pending since   ARGV[4] places, as look.lua has answered
-- ARGV[5] the place, or '' to delete the task
-- ARGV[6] the score there, of active that of the lease   ARGV[7] now, Unix ns
-- Returns 1, or 0 if it has changed. A repetition finds that it has.
local id = ARGV[1]
local h = redis.call('HMGET', KEYS[8], 'state', 'pending_since')
if (h[1] or '') ~= ARGV[2] or (h[2] or '') ~= ARGV[3] or places(id, h[1], true) ~= ARGV[4] then return 0 end
for i = 1, 2 do
  if string.find(ARGV[4], names[i], 1, true) then redis.call('LREM', KEYS[i], 0, id) end
end
for i = 3, 7 do redis.call('ZREM', KEYS[i], id) end
if ARGV[5] == '' then
  redis.call('DEL', KEYS[8])
  return 1
end
redis.call('HSET', KEYS[8], 'state', ARGV[5])
if ARGV[5] == 'pending' then
  redis.call('RPUSH', KEYS[1], id) -- the next one: it has waited for long
  redis.call('HSET', KEYS[8], 'pending_since', ARGV[7])
  return 1
end
redis.call('HDEL', KEYS[8], 'pending_since')
if ARGV[5] == 'active' then
  redis.call('LPUSH', KEYS[2], id)
  redis.call('ZADD', KEYS[7], ARGV[6], id)
end
for i = 3, 6 do
  if ARGV[5] == names[i] then redis.call('ZADD', KEYS[i], ARGV[6], id) end
end
return 1

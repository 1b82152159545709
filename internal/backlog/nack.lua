-- Undoes receive: mails return to their places. One that acquired a place does not.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2…] scores and mails by turns
-- Returns Unix ms if the index must be told that a worker should look then, else 0.
local empty = redis.call('EXISTS', backlog) == 0
for i = 2, #ARGV, 2 do
  local place = string.match(redis.call('HGET', inflight, ARGV[i + 1]) or '', '(%S+)$')
  if place ~= '-' then
    redis.call('HDEL', inflight, ARGV[i + 1])
    redis.call('ZADD', backlog, 'NX', ARGV[i], ARGV[i + 1])
  end
end
local due = math.ceil(now + SOON)
return announce(empty, false, due) * due

-- Says how far a request has come that has no answer yet, and takes it back if there is
-- no worker.
--
-- KEYS  1 waiting   2 running   3 workers   4 answer
-- ARGV  1 the id
-- Returns answered, waiting, unmanned, running or lost.
if redis.call('EXISTS', KEYS[4]) == 1 then return 'answered' end
if redis.call('LPOS', KEYS[1], ARGV[1]) then
  if redis.call('EXISTS', KEYS[3]) == 1 then return 'waiting' end
  redis.call('LREM', KEYS[1], 0, ARGV[1])
  return 'unmanned'
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('ZSCORE', KEYS[2], ARGV[1])
if lease and tonumber(lease) > now then return 'running' end
return 'lost'

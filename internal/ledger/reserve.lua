-- Opens the record of a job unless there is one.
-- KEYS[1] the job's hash
-- KEYS[2] if given, where an older version would have opened it: a record of the same
-- tenant that stands there is the job's
-- ARGV[1] Unix ms at which the record ends
-- ARGV[2] Unix ms at which the job was enqueued
-- ARGV[3…] fields and values of a new record, the tenant's first
-- A worker that was faster has written a record without a nonce: it is completed.
-- Returns 0 if the record is new, else {tenant, message id, nonce, print of the content}
-- of the one that stands, and which of the keys is its.
local function answer(which)
  local h = redis.call('HMGET', KEYS[which], 't', 'm', 'n', 'f')
  h[5] = which
  return h
end
local h = redis.call('HMGET', KEYS[1], 't', 'n', 'e')
if not h[1] then
  if KEYS[2] and redis.call('HGET', KEYS[2], 't') == ARGV[4] then return answer(2) end
  redis.call('HSET', KEYS[1], unpack(ARGV, 3))
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
  return 0
elseif not h[2] and h[3] == ARGV[2] then
  for i = 3, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return answer(1)

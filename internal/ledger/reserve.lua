-- Opens the record of a job unless there is one.
-- KEYS[1] the job's hash
-- ARGV[1] Unix ms at which the record ends
-- ARGV[2] Unix ms at which the job was enqueued
-- ARGV[3…] fields and values of a new record
-- A worker that was faster has written a record without a nonce: it is completed.
-- Returns {tenant, message id, nonce} of the record that now stands.
local h = redis.call('HMGET', KEYS[1], 't', 'n', 'e')
if not h[1] then
  redis.call('HSET', KEYS[1], unpack(ARGV, 3))
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
elseif not h[2] and h[3] == ARGV[2] then
  for i = 3, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return redis.call('HMGET', KEYS[1], 't', 'm', 'n')

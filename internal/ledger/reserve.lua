-- Opens the record of a job unless there is one.
-- KEYS[1] the job's hash
-- ARGV[1] Unix ms at which the record ends
-- ARGV[2…] fields and values of a new record
-- Returns {tenant, message id, nonce, queue} of the record that now stands.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], unpack(ARGV, 2))
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
end
return redis.call('HMGET', KEYS[1], 't', 'm', 'n', 'q')

-- Writes how far a check is, if the process that asks still holds the lock.
-- KEYS[1] the lock   KEYS[2] the latest check
-- ARGV[1] the check that the process has under way   ARGV[2] the check as JSON
-- ARGV[3] ms for which the lock is held on; 0: the check has ended
-- ARGV[4] ms for which the latest check is kept
-- Returns 1, or 0: the lock has ended, and may be another's.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4])
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1

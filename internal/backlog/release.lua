-- Ends a mail's time in flight.
-- KEYS, ARGV[1] see account.lua
-- ARGV[2] mail   ARGV[3] 1 if the server has seen it, else 0
-- A mail that is not in flight, because its time was over or because the reply of the
-- first call was lost, counts (again): rather too few go than too many.
local mail = ARGV[2]
open(redis.call('HGET', rates, 'l'), mail)
if ARGV[3] == '1' then count(mails[mail] and mails[mail].n or 1) end
redis.call('HDEL', inflight, mail)
redis.call('HDEL', rates, 'n' .. mail)
close()
return 1

-- Gives a lease back.
-- KEYS[1], KEYS[2] as in take.lua
-- ARGV[1] the lease   ARGV[2] its fingerprint if its login was refused, else ''
-- Returns 1.
redis.call('ZREM', KEYS[1], ARGV[1])
local login = redis.call('GET', KEYS[2])
if login == ARGV[1] or login == ARGV[2] then
  redis.call('DEL', KEYS[2]) -- the next one tries, alone
end
return 1

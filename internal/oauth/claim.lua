-- Gives the access token of a grant, or the right to ask for one.
-- KEYS[1] the grant's hash   KEYS[2] its lock
-- ARGV[1] fingerprint of the credentials
-- ARGV[2] Unix ms before which a token must not end
-- ARGV[3] Unix ms before which it must not be stale, or 0
-- ARGV[4] digest of a token that is not wanted, or ''
-- ARGV[5] Unix ms: the unwanted token is not replaced if it came, in place of a
--         rejected one, after that; or ''
-- ARGV[6] who asks           ARGV[7] ms until the lock ends by itself
-- Returns {'token', sealed token, stale, expires, digest}, {'rejected'},
-- {'busy'}: somebody asks the provider, or {'yours', revision, sealed refresh
-- token}. It may run twice for the same asker: a reply was lost.
local h = redis.call('HMGET', KEYS[1], 'p', 'a', 'i', 's', 'e', 'f', 'v', 'r')
if h[1] == ARGV[1] and h[2] then
  if h[3] == ARGV[4] then
    if ARGV[5] ~= '' and tonumber(h[6]) > tonumber(ARGV[5]) then return {'rejected'} end
  elseif tonumber(h[5]) > tonumber(ARGV[2]) and tonumber(h[4]) > tonumber(ARGV[3]) then
    return {'token', h[2], h[4], h[5], h[3]}
  end
end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[6] then return {'busy'} end
redis.call('SET', KEYS[2], ARGV[6], 'PX', ARGV[7])
return {'yours', h[7] or '0', h[8] or ''}

-- Counts those of some mails of a tenant that its limits allow, one after the other.
-- KEYS[1] hash: tenant -> mails   KEYS[2] hash: tenant -> bytes
-- ARGV[1] tenant   ARGV[2] most mails   ARGV[3] most bytes; 0: no limit
-- ARGV[4…] the bytes of each mail
-- Returns {mails, bytes, verdicts}: what waits then, and a character for each mail:
-- '.' it counts, 'm' it would be one mail too many, 'b' it has too many bytes.
local tenant, most_mails, most_bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local mails = tonumber(redis.call('HGET', KEYS[1], tenant) or '0')
local bytes = tonumber(redis.call('HGET', KEYS[2], tenant) or '0')
local verdicts, new, weight = {}, 0, 0
for i = 4, #ARGV do
  local own = tonumber(ARGV[i])
  local verdict = '.'
  if most_mails > 0 and mails + new + 1 > most_mails then
    verdict = 'm'
  elseif most_bytes > 0 and bytes + weight + own > most_bytes then
    verdict = 'b'
  else
    new, weight = new + 1, weight + own
  end
  verdicts[i - 3] = verdict
end
if new > 0 then
  mails = redis.call('HINCRBY', KEYS[1], tenant, new)
  bytes = redis.call('HINCRBY', KEYS[2], tenant, weight)
end
return {mails, bytes, table.concat(verdicts)}

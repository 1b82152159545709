-- ARGV[1] of these scripts is Unix ms, or empty: then it is Redis's own clock.
local now = tonumber(ARGV[1])
if not now then
  local t = redis.call('TIME')
  now = t[1] * 1000 + t[2] / 1000
end

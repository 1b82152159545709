-- Rolls one tenant's log forward to now, and adds an entry if there is one.
--
-- KEYS[1]  stream: field "e" is the entry, the id's milliseconds are its time; "s" is
--          how many bytes of entries the stream was ever given, this one included
-- KEYS[2]  ZSET late: id -> time in ms of the entries whose id is not their time
-- KEYS[3]  hash state: lag (ms, the most that an id was ever ahead of its time),
--          dropped (entries cut by a limit), since (ms, nothing after it was cut),
--          bytes (of all entries that the stream was ever given)
-- ARGV[1]  oldest time to keep, Unix ms
-- ARGV[2]  most entries to keep
-- ARGV[3]  TTL in ms from the last write on
-- ARGV[4]  most bytes of entries to keep
-- ARGV[5]  time of the new entry, Unix ms     (with ARGV[6], or neither)
-- ARGV[6]  the new entry
--
-- Returns nil when it was given an entry, else
-- {entries, id of the newest or "", lag, dropped, since}.
--
-- An entry that is too old already, or that is there already (a client repeats a
-- call whose reply was lost), is not added.
--
-- The bytes that are held follow from the sums beside the first entry and in state,
-- so that nobody has to add them up. An entry that left between others counts until
-- the first one has passed its place; entries of an older version count nothing.

local stream, late, state = KEYS[1], KEYS[2], KEYS[3]
local oldest, max, ttl, max_bytes, time, entry = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local LOOK_BACK = 16 -- entries of the same millisecond that a repetition is looked for in
local MOST = 2000 -- entries that one call cuts by their bytes: a lowered limit is reached by and by

local function millis(id) return string.match(id, '^%d+') end

local function holds(from, to)
  for _, found in ipairs(redis.call('XREVRANGE', stream, to, from, 'COUNT', LOOK_BACK)) do
    if found[2][2] == entry then return true end
  end
  return false
end

local function repeated()
  if holds(time, time) then return true end
  for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', late, time, time, 'LIMIT', 0, LOOK_BACK)) do
    if holds(id, id) then return true end
  end
  return false
end

local function newest_id()
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

-- Ids only grow. An entry of a clock that is behind gets the newest id's time, and
-- its own is kept in late.
local function add()
  local sum = redis.call('HINCRBY', state, 'bytes', #entry)
  local id = redis.pcall('XADD', stream, time .. '-*', 'e', entry, 's', sum)
  if type(id) == 'table' then
    id = redis.call('XADD', stream, millis(newest_id()) .. '-*', 'e', entry, 's', sum)
  end
  local lag = tonumber(millis(id)) - tonumber(time)
  if lag == 0 then return end
  redis.call('ZADD', late, time, id)
  if lag > tonumber(redis.call('HGET', state, 'lag') or '0') then
    redis.call('HSET', state, 'lag', lag)
  end
end

local function forget_old()
  redis.call('XTRIM', stream, 'MINID', '=', oldest)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', late, '-inf', '(' .. oldest)) do
    redis.call('XDEL', stream, id)
  end
  redis.call('ZREMRANGEBYSCORE', late, '-inf', '(' .. oldest)
  local since = redis.call('HGET', state, 'since')
  if since and tonumber(since) < tonumber(oldest) then
    redis.call('HDEL', state, 'dropped', 'since')
  end
end

-- cut_bytes deletes the oldest entries up to the one from which on no more than
-- max_bytes were added, and returns how many those were.
local function cut_bytes()
  local least = tonumber(redis.call('HGET', state, 'bytes') or '0') - max_bytes
  if least <= 0 then return 0 end
  local dropped, page = 0, 2
  repeat
    local gone = {}
    for _, found in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', page)) do
      local text, sum = found[2][2], found[2][4]
      if sum and sum - #text >= least then break end
      gone[#gone + 1] = found[1]
    end
    if #gone > 0 then redis.call('XDEL', stream, unpack(gone)) end
    dropped = dropped + #gone
    local more = #gone == page
    page = 100
  until not more or dropped > MOST
  return dropped
end

local function cut_surplus()
  local dropped = cut_bytes() + redis.call('XTRIM', stream, 'MAXLEN', '=', max)
  if dropped == 0 then return end
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  redis.call('HINCRBY', state, 'dropped', dropped)
  redis.call('HSET', state, 'since', millis(first[1]))
  redis.call('ZREMRANGEBYRANK', late, 0, -redis.call('XLEN', stream) - 1)
end

if entry and tonumber(time) >= tonumber(oldest) and not repeated() then
  add()
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
end
forget_old()
cut_surplus()
if entry then return end

local newest = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
local known = redis.call('HMGET', state, 'lag', 'dropped', 'since')
return {
  redis.call('XLEN', stream),
  newest and newest[1] or '',
  tonumber(known[1] or '0'),
  tonumber(known[2] or '0'),
  tonumber(known[3] or '0'),
}

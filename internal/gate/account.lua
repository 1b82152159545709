-- What the scripts of an account share; it stands before each of them.
-- KEYS[1] room: sorted set of mails ('<queue>/<id>') by priority class and arrival
-- KEYS[2] rate: hash: l the limits last seen, due what the index was last told,
--         w1 to w4 the windows, n<mail> the recipients of a mail that waits
-- KEYS[3] held: hash: mail to '<expiry> <recipients> <place>': it takes up a place;
--         <place> is where it stood in the room, or - once it has entered
-- A window is a text of buckets: '<number>:<how many have ended in it> …'. It ends
-- with the 61st of them: at every moment that is more than minute, hour or day.
local room, rate, held = KEYS[1], KEYS[2], KEYS[3]
local HOLD, SOON, KEEP = 60000, 1000, 2 * 86400000
local WIDTH = {1000, 60000, 1440000, 1440000} -- sixtieths of a minute, an hour, a day, a day

local windows = {}                -- those with a limit
local mails = {}                  -- under way
local under = {mails = 0, recipients = 0}
local returns                     -- when the first pulled mail goes back that nobody enters

local function window(i, limit)
  local w = {field = 'w' .. i, width = WIDTH[i], limit = limit, sum = 0, what = 'mails'}
  if i == 4 then w.what = 'recipients' end
  w.last = math.floor(now / w.width)
  for bucket, n in string.gmatch(redis.call('HGET', rate, w.field) or '', '(%d+):(%d+)') do
    bucket, n = tonumber(bucket), tonumber(n)
    if bucket > w.last then bucket, w.changed = w.last, true end -- the clock was put back
    if bucket >= w.last - 60 then
      w[#w + 1] = {bucket = bucket, n = n}
      w.sum = w.sum + n
    end
  end
  return w
end

-- count counts a mail that has ended.
local function count(n)
  for _, w in ipairs(windows) do
    local one = 1
    if w.what == 'recipients' then one = n end
    if #w == 0 or w[#w].bucket ~= w.last then w[#w + 1] = {bucket = w.last, n = 0} end
    w[#w].n = w[#w].n + one
    w.sum = w.sum + one
    w.changed = true
  end
end

local function take(mail, n, place)
  mails[mail] = {n = n, place = place}
  under.mails = under.mails + 1
  under.recipients = under.recipients + n
end

local function untake(mail)
  under.mails = under.mails - 1
  under.recipients = under.recipients - mails[mail].n
  mails[mail] = nil
end

local function hold(mail, n, place)
  take(mail, n, place)
  redis.call('HSET', held, mail, string.format('%.0f %d %s', now + HOLD, n, place))
end

-- open reads what is taken. Of the mails whose time under way is over, those that
-- entered count now, the others go back to their places. own is left alone.
local function open(limits, own)
  local i = 0
  for limit in string.gmatch(limits or '', '%d+') do
    i = i + 1
    if limit ~= '0' then windows[#windows + 1] = window(i, tonumber(limit)) end
  end
  local all = redis.call('HGETALL', held)
  for i = 1, #all, 2 do
    local mail = all[i]
    local expiry, n, place = string.match(all[i + 1], '^(%d+) (%d+) (%S+)$')
    expiry, n = tonumber(expiry), tonumber(n)
    if expiry > now + HOLD then -- the clock was put back
      expiry = now + HOLD
      hold(mail, n, place)
    elseif expiry > now or mail == own then
      take(mail, n, place)
    else
      redis.call('HDEL', held, mail)
      if place == '-' then count(n) else redis.call('ZADD', room, 'NX', place, mail) end
    end
    if mails[mail] and place ~= '-' then returns = math.min(returns or expiry, expiry) end
  end
end

-- close writes what open and count have changed.
local function close()
  for _, w in ipairs(windows) do
    if w.changed then
      local text = {}
      for i, b in ipairs(w) do text[i] = b.bucket .. ':' .. b.n end
      redis.call('HSET', rate, w.field, table.concat(text, ' '))
    end
  end
  redis.call('PEXPIRE', rate, KEEP)
  redis.call('PEXPIRE', held, KEEP)
end

-- blocked is nil if one more mail may go, else Unix ms at which it perhaps may. A
-- mail of more recipients than the limit may go when nobody else takes any.
local function blocked(n)
  local due
  for _, w in ipairs(windows) do
    local one = 1
    if w.what == 'recipients' then one = math.min(n, w.limit) end
    local over = w.sum + under[w.what] + one - w.limit
    if over > 0 then
      local at = now + SOON -- if it is for those under way
      for _, b in ipairs(w) do
        over = over - b.n
        if over <= 0 then
          at = (b.bucket + 61) * w.width
          break
        end
      end
      due = math.max(due or at, at)
    end
  end
  return due
end

-- announce notes when somebody should look at the room. It answers 1 if the index
-- must be told: of a room that was empty, of an earlier moment, and again when a
-- mail joins twice, for the one who should have told may have died.
local function announce(empty, again, due, message)
  local told = tonumber(redis.call('HGET', rate, 'due') or '')
  if empty or not told or due < told then
    redis.call('HSET', rate, 'due', string.format('%.0f', due))
    redis.call('PEXPIRE', rate, KEEP)
    if message then redis.call('PUBLISH', ARGV[2], message) end
    return 1
  end
  return again and 1 or 0
end

-- arrive puts a mail into the room, behind the others of its class, or at the place
-- that it has had. It answers whether it was there already.
local function arrive(mail, class, place)
  return redis.call('ZADD', room, 'NX', place or string.format('%.3f', class * 1e13 + now), mail) == 0
end

-- What the scripts of an account share; it stands before each of them.
-- KEYS[1] backlog: sorted set of mails ('<queue>/<id>') by priority class and arrival
-- KEYS[2] rates: hash: l the limits last seen, due what the index was last told, why
--         the last mail waits, w1 to w4 the windows, n<mail> the recipients of a mail
--         that waits
-- KEYS[3] inflight: hash: mail to '<expiry> <recipients> <place>': it takes up a
--         place within the limits; <place> is where it stood in the backlog, to which
--         it returns at its expiry, or - once it has acquired its place
-- A window is a text of buckets: '<number>:<how many have ended in it> …'. It ends
-- with the 61st of them: at every moment that is more than minute, hour or day.
local backlog, rates, inflight = KEYS[1], KEYS[2], KEYS[3]
local VISIBILITY, SOON, KEEP = 60000, 1000, 2 * 86400000 -- ms; the first is the visibility timeout
local WIDTH = {1000, 60000, 1440000, 1440000} -- sixtieths of a minute, an hour, a day, a day

local windows = {}                -- those with a limit
local mails = {}                  -- in flight
local sum = {mails = 0, recipients = 0} -- of those
local returns                     -- when the first received mail returns that nobody acquires

local function window(i, limit)
  local w = {field = 'w' .. i, width = WIDTH[i], limit = limit, sum = 0, what = 'mails'}
  if i == 4 then w.what = 'recipients' end
  w.last = math.floor(now / w.width)
  for bucket, n in string.gmatch(redis.call('HGET', rates, w.field) or '', '(%d+):(%d+)') do
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
  sum.mails = sum.mails + 1
  sum.recipients = sum.recipients + n
end

local function untake(mail)
  sum.mails = sum.mails - 1
  sum.recipients = sum.recipients - mails[mail].n
  mails[mail] = nil
end

local function keep(mail, n, place)
  take(mail, n, place)
  redis.call('HSET', inflight, mail, string.format('%.0f %d %s', now + VISIBILITY, n, place))
end

-- open reads what is taken. Of the mails whose time in flight is over, those that
-- acquired a place count now, the others return to the backlog. It leaves own alone.
local function open(limits, own)
  local i = 0
  for limit in string.gmatch(limits or '', '%d+') do
    i = i + 1
    if limit ~= '0' then windows[#windows + 1] = window(i, tonumber(limit)) end
  end
  local all = redis.call('HGETALL', inflight)
  for i = 1, #all, 2 do
    local mail = all[i]
    local expiry, n, place = string.match(all[i + 1], '^(%d+) (%d+) (%S+)$')
    expiry, n = tonumber(expiry), tonumber(n)
    if expiry > now + VISIBILITY then -- the clock was put back
      expiry = now + VISIBILITY
      keep(mail, n, place)
    elseif expiry > now or mail == own then
      take(mail, n, place)
    else
      redis.call('HDEL', inflight, mail)
      if place == '-' then count(n) else redis.call('ZADD', backlog, 'NX', place, mail) end
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
      redis.call('HSET', rates, w.field, table.concat(text, ' '))
    end
  end
  redis.call('PEXPIRE', rates, KEEP)
  redis.call('PEXPIRE', inflight, KEEP)
end

-- blocked is nil if one more mail may go, else Unix ms at which it perhaps may. A
-- mail of more recipients than the limit may go when nobody else takes any.
local function blocked(n)
  local due
  for _, w in ipairs(windows) do
    local one = 1
    if w.what == 'recipients' then one = math.min(n, w.limit) end
    local over = w.sum + sum[w.what] + one - w.limit
    if over > 0 then
      local at = now + SOON -- if it is for those in flight
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

-- announce notes when a worker should look at the backlog. It answers 1 if the index
-- must be told: of a backlog that was empty, of an earlier moment, and again when a
-- mail is enqueued twice, for the process that should have told may have died.
local function announce(empty, again, due, message)
  local told = tonumber(redis.call('HGET', rates, 'due') or '')
  if empty or not told or due < told then
    redis.call('HSET', rates, 'due', string.format('%.0f', due))
    redis.call('PEXPIRE', rates, KEEP)
    if message then redis.call('PUBLISH', ARGV[2], message) end
    return 1
  end
  return again and 1 or 0
end

-- enqueue puts a mail into the backlog, behind the others of its class, or at the
-- place that it has had. It answers whether it was there already.
local function enqueue(mail, class, place)
  return redis.call('ZADD', backlog, 'NX', place or string.format('%.3f', class * 1e13 + now), mail) == 0
end

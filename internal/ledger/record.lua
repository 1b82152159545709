-- What the ledger's scripts share. It stands before each that needs it.

-- final tells whether a job in this state has ended (State.Final).
local function final(s)
  return s == 'accepted' or s == 'partly' or s == 'failed' or s == 'uncertain' or s == 'expired' or s == 'canceled' or s == 'bounced'
end

-- counted tells whether a job in this state counts as waiting for its tenant: one that
-- is held as uncertain still does.
local function counted(s)
  return s and (not final(s) or s == 'uncertain')
end

-- change is what waits more, or less, for the tenant of a record that goes from one
-- state into another: {tenant, mails, bytes}, or nothing.
local function change(key, before, after)
  local sign = (counted(after) and 1 or 0) - (counted(before) and 1 or 0)
  if sign == 0 then return end
  local h = redis.call('HMGET', key, 't', 'b')
  if h[2] then return h[1], tostring(sign), tostring(sign * h[2]) end
end

-- note appends an event to the history: h0, h1 … and hn, how many there were. The
-- first and the latest 39 stay (historyTail).
local function note(key, event)
  local n = redis.call('HINCRBY', key, 'hn', 1) - 1
  redis.call('HSET', key, 'h' .. n, event)
  if n >= 40 then redis.call('HDEL', key, 'h' .. n - 39) end
end

-- resolve draws the state of a job that has ended as uncertain anew, from its
-- recipients: late verdicts have come in.
local function resolve(key)
  local _, n = string.gsub(redis.call('HGET', key, 'to') or '', '\n', '')
  local accepted = 0
  for i = 0, n do
    local state = string.match(redis.call('HGET', key, 'r' .. i) or '', '^%a+')
    if state == 'accepted' then
      accepted = accepted + 1
    elseif state ~= 'failed' then
      return
    end
  end
  if accepted == n + 1 then
    redis.call('HSET', key, 's', 'accepted')
  elseif accepted > 0 then
    redis.call('HSET', key, 's', 'partly')
  end
end

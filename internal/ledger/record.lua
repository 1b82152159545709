-- What the ledger's scripts share. It stands before each that needs it.

-- final tells whether a job in this state has ended (State.Final).
local function final(s)
  return s == 'accepted' or s == 'partly' or s == 'failed' or s == 'uncertain' or s == 'expired' or s == 'canceled' or s == 'bounced'
end

-- note appends an event to the history: h0, h1 … and hn, how many there were. The
-- first and the latest 39 stay (historyTail).
local function note(key, event)
  local n = redis.call('HINCRBY', key, 'hn', 1) - 1
  redis.call('HSET', key, 'h' .. n, event)
  if n >= 40 then redis.call('HDEL', key, 'h' .. n - 39) end
end


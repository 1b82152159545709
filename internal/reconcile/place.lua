-- What the scripts about single tasks share; it stands before each of them.
-- KEYS[1] pending    KEYS[2] active     KEYS[3] scheduled   KEYS[4] retry
-- KEYS[5] archived   KEYS[6] completed  KEYS[7] leases, all of one queue
local names = {'pending', 'active', 'scheduled', 'retry', 'archived', 'completed', 'lease'}

-- places says where an id is listed: 'retry 1700000000,pending'. Each place of a
-- list counts. Lists are looked through only if exact is set, the active one, which
-- is short, also if the task is said to be there.
local function places(id, state, exact)
  local out = {}
  for i = 3, 7 do
    local score = redis.call('ZSCORE', KEYS[i], id)
    if score then out[#out + 1] = names[i] .. ' ' .. score end
  end
  for i = 1, 2 do
    if exact or state == names[i] and i == 2 then
      for _ in ipairs(redis.call('LPOS', KEYS[i], id, 'COUNT', 0)) do out[#out + 1] = names[i] end
    end
  end
  return table.concat(out, ',')
end


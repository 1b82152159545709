-- Notes when a worker should look again at backlogs that one has looked at.
-- KEYS[1] index   ARGV account, the score before the look, the next one (0: none) …
-- It leaves a backlog alone whose score has changed since: a mail was enqueued.
for i = 1, #ARGV, 3 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    if ARGV[i + 2] == '0' then
      redis.call('ZREM', KEYS[1], ARGV[i])
    else
      redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i])
    end
  end
end
return 1

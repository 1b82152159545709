-- Notes when somebody should look at rooms again that have been looked at.
-- KEYS[1] index   ARGV account, the score before the look, the next one (0: none) …
-- A room whose score has changed since is left alone: a mail has joined it.
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

-- Gives locks back. KEYS: the locks; ARGV: token. A lock that has expired and is another's now is left alone.
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    redis.call('DEL', key)
  end
end
return redis.status_reply('OK')

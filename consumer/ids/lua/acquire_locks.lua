-- Takes locks. KEYS: the locks; ARGV: token, life in milliseconds. Returns positions of those that another holds.
local held = {}
for i, key in ipairs(KEYS) do
  if not redis.call('SET', key, ARGV[1], 'NX', 'PX', ARGV[2]) then
    if redis.call('GET', key) == ARGV[1] then
      redis.call('PEXPIRE', key, ARGV[2])
    else
      held[#held + 1] = i
    end
  end
end
return held

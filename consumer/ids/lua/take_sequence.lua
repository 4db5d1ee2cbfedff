-- Takes sequence values of the current second, and of earlier ones where it is used up.
--
-- KEYS[1]  hash of one layout and region: values used by second, plus `floor` and `run_id`
-- ARGV     count, values a second, window in seconds, epoch
-- Returns  {second, first value, how many, ...}, fewer than count in all while seconds below the floor would be
--          needed; nil when the whole window is used up, in which case nothing was taken.
--
-- All in one hash, so that it is lost as a whole or not at all: a lost counter beside a kept floor would repeat ids.
local key = KEYS[1]
local count, capacity, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local now = tonumber(redis.call('TIME')[1]) - tonumber(ARGV[4])

local floor = tonumber(redis.call('HGET', key, 'floor') or 0)
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')

local function seconds()
  local found = {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    found[#found + 1] = tonumber(field)
  end
  return found
end

if redis.call('HGET', key, 'run_id') ~= run_id then
  -- Flushed, new, or restarted from a snapshot that may be old: no second up to now can be trusted. One more second
  -- of distance covers a successor whose clock is behind.
  floor = math.max(floor, now + 2)
  for _, second in ipairs(seconds()) do
    floor = math.max(floor, second + 1)
  end
  redis.call('DEL', key)
  redis.call('HSET', key, 'run_id', run_id, 'floor', floor)
end

local oldest = now - window + 1
local taken, missing = {}, count
for second = now, math.max(oldest, floor, 0), -1 do
  local used = tonumber(redis.call('HGET', key, second) or 0)
  local n = math.min(missing, capacity - used)
  if n > 0 then
    taken[#taken + 1] = {second, used, n}
    missing = missing - n
  end
  if missing == 0 then
    break
  end
end
if missing > 0 and floor <= oldest then
  return nil
end

local result = {}
for _, range in ipairs(taken) do
  local used = redis.call('HINCRBY', key, range[1], range[3])
  if used == range[3] and oldest > floor then
    -- A second is used for the first time: those that have left the window expire. The floor follows, so that a
    -- clock that is set back does not find them unused.
    redis.call('HSET', key, 'floor', oldest)
    for _, second in ipairs(seconds()) do
      if second < oldest then
        redis.call('HDEL', key, second)
      end
    end
  end
  result[#result + 1], result[#result + 2], result[#result + 3] = range[1], range[2], range[3]
end
return result

import { createHash } from 'node:crypto';

/** A Lua script. Its answer is an array that begins with the number of commands it called. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/**
 * The field `lease` of the data hash holds `<token>|<end in ms>`; an end of 0 means released. The token stays after
 * that, so that its holder can repeat a commit.
 *
 * KEYS: the data hash.
 * ARGV: token, now, end of the new lease, how many tokens are given up, those, the token whose last commit the caller
 * remembers, how many fields of it, then the fields to read: those first.
 * Answers `{calls, values}`, or `{calls}` when somebody else holds the lease. Where that commit was the last thing that
 * happened, 0 stands for each value that the caller remembers.
 */
export const CLAIM = script(`
local data = KEYS[1]
local token, now, new_end = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local known = 5 + tonumber(ARGV[4])
local mine = {[token] = true}
for i = 5, known - 1 do
  mine[ARGV[i]] = true
end
local values = redis.call('HMGET', data, 'lease', unpack(ARGV, known + 2))
local lease = table.remove(values, 1)
if lease then
  local holder, lease_end = string.match(lease, '^(.*)|(%d+)$')
  lease_end = tonumber(lease_end or 0)
  if not mine[holder] and lease_end > now and lease_end <= new_end then
    return {1}
  end
end
if lease == ARGV[known] .. '|0' then
  for i = 1, tonumber(ARGV[known + 1]) do
    values[i] = 0
  end
end
redis.call('HSET', data, 'lease', token .. '|' .. ARGV[3])
return {2, values}
`);

/**
 * KEYS: the data hash, then the log if text is appended.
 * ARGV: token, '1' to release the lease, offset and text for the log, then field, value, field, value…
 * Answers `{calls, 1}`, or `{calls, 0}` when the token was not the last to take the lease, or has released it and this
 * commit does not (it was under way for longer than the one after it).
 * The log comes first: it is the only write that can fail, and then nothing was written.
 */
export const COMMIT = script(`
local data, log = KEYS[1], KEYS[2]
local token, release, offset, text = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local lease = redis.call('HGET', data, 'lease')
local holder, lease_end = string.match(lease or '', '^(.*)|(%d+)$')
if holder ~= token or (lease_end == '0' and release == '0') then
  return {1, 0}
end
local calls = 1
if log then
  if offset == 0 then
    redis.call('SET', log, text)
  else
    redis.call('SETRANGE', log, ARGV[3], text)
  end
  calls = calls + 1
end
local fields = {}
for i = 5, #ARGV do
  fields[i - 4] = ARGV[i]
end
if release == '1' then
  table.insert(fields, 'lease')
  table.insert(fields, token .. '|0')
end
-- unpack takes less than 8,000 values.
for first = 1, #fields, 6000 do
  redis.call('HSET', data, unpack(fields, first, math.min(first + 5999, #fields)))
  calls = calls + 1
end
return {calls, 1}
`);

/**
 * KEYS: the data hash.
 * ARGV: field, new value, then the expected value if one is expected.
 * Answers `{calls, what the field held}`: `expected` (and the new value was written), `value` or `other`.
 */
export const SWAP = script(`
local data = KEYS[1]
local field, value, expected = ARGV[1], ARGV[2], ARGV[3] or false
local held = redis.call('HGET', data, field)
if held == expected then
  redis.call('HSET', data, field, value)
  return {2, 'expected'}
end
return {1, held == value and 'value' or 'other'}
`);

/**
 * What was staged under other keys takes the place of what there is. All is looked at before anything is written: no
 * command after that can fail.
 * KEYS: the data hash, the staged one, then log, staged log, log, staged log…
 * ARGV: token, fields of the staged hash, then for each log '1' (it is staged) or '0' (it is removed).
 * Answers `{calls, 'done'}`, also when an earlier attempt has done it; `{calls, 'lost'}` when the token was not the last
 * to take the lease; `{calls, 'missing'}` when not all is there that was staged.
 */
export const REPLACE = script(`
local data, staged, token = KEYS[1], KEYS[2], ARGV[1]
local lease = redis.call('HGET', data, 'lease')
local holder, lease_end = string.match(lease or '', '^(.*)|(%d+)$')
if holder ~= token then
  return {1, 'lost'}
end
local calls = 2
local fields = redis.call('HLEN', staged)
if fields == 0 and lease_end == '0' then
  return {calls, 'done'}
end
local complete = fields == tonumber(ARGV[2])
for i = 3, #ARGV do
  if ARGV[i] == '1' then
    complete = redis.call('EXISTS', KEYS[2 * i - 2]) == 1 and complete
    calls = calls + 1
  end
end
if not complete then
  return {calls, 'missing'}
end
for i = 3, #ARGV do
  local log, staged_log = KEYS[2 * i - 3], KEYS[2 * i - 2]
  if ARGV[i] == '1' then
    redis.call('RENAME', staged_log, log)
    redis.call('PERSIST', log)
    calls = calls + 2
  else
    redis.call('DEL', log)
    calls = calls + 1
  end
end
redis.call('RENAME', staged, data)
redis.call('PERSIST', data)
return {calls + 2, 'done'}
`);

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

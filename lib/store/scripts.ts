import { createHash } from 'node:crypto';

/** A Lua script. Its answer is an array that begins with the number of commands it called. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

/**
 * The key `lease` holds the token of the run that is under way. It expires by the server's own clock.
 *
 * Shard 3 has the key `lease:3`, and the field of the same name in its hash.
 *
 * The field `lease` of the data hash says who committed last: `<token>|1`, or `<token>|0` where that commit released
 * the lease. Versions before this one wrote `<token>|<end in ms>` when they claimed. A claim answers with it. A run whose
 * key has expired may still commit if the field is as its claim found it: then nobody else has written anything.
 */

/**
 * KEYS: the data hash, the lease.
 * ARGV: token, PX and the lifetime of the lease in ms, or PXAT and its end in ms since the epoch, how many tokens are given
 * up, those, the token whose last commit the caller remembers, how many fields of it, then the fields to read: those first.
 * Answers `{calls, last committer, values}`, or `{calls}` when somebody else holds the lease. Where the commit that the
 * caller remembers is the last one, 0 stands for each value that the caller remembers.
 */
export const CLAIM = script(`
local data, lease = KEYS[1], KEYS[2]
local token, unit, expiry = ARGV[1], ARGV[2], ARGV[3]
local known = 5 + tonumber(ARGV[4])
local calls = 2
if not redis.call('SET', lease, token, 'NX', unit, expiry) then
  local holder = redis.call('GET', lease)
  local mine = holder == token
  for i = 5, known - 1 do
    mine = mine or holder == ARGV[i]
  end
  if not mine then
    return {2}
  end
  redis.call('SET', lease, token, unit, expiry)
  calls = 4
end
local values = redis.call('HMGET', data, string.match(lease, 'lease:?%d*$'), unpack(ARGV, known + 2))
local last = table.remove(values, 1) or ''
if last == ARGV[known] .. '|0' or last == ARGV[known] .. '|1' then
  for i = 1, tonumber(ARGV[known + 1]) do
    values[i] = 0
  end
end
return {calls, last, values}
`);

/**
 * KEYS: the data hash, the lease, then the log if text is appended.
 * ARGV: token, last committer as the claim found it, '1' to release the lease, its lifetime in ms, offset and text for
 * the log, then field, value, field, value…
 * Answers `{calls, 1}`, or `{calls, 1, 1}` when it was written although the lease was over. `{calls, 0}`: somebody else holds
 * the lease or has committed since, or the token has released it and this commit does not (it was under way for longer than
 * the one after it).
 * The log comes first: it is the only write that can fail, and then nothing else was written.
 */
export const COMMIT = script(`
local data, lease, log = KEYS[1], KEYS[2], KEYS[3]
local committer = string.match(lease, 'lease:?%d*$')
local token, seen, release, offset, text = ARGV[1], ARGV[2], ARGV[3] == '1', tonumber(ARGV[5]), ARGV[6]
local holder = redis.call(release and 'GETDEL' or 'GET', lease)
local calls = 1
if holder and holder ~= token then
  if release then
    redis.call('SET', lease, holder, 'PX', ARGV[4])
    calls = 2
  end
  return {calls, 0}
end
if not holder then
  calls = 2
  local last = redis.call('HGET', data, committer) or ''
  if last ~= seen and last ~= token .. '|1' and not (release and last == token .. '|0') then
    return {calls, 0}
  end
end
if log then
  if offset == 0 then
    redis.call('SET', log, text)
  else
    redis.call('SETRANGE', log, ARGV[5], text)
  end
  calls = calls + 1
end
local fields = {committer, token .. (release and '|0' or '|1')}
for i = 7, #ARGV do
  fields[i - 4] = ARGV[i]
end
-- unpack takes less than 8,000 values.
for first = 1, #fields, 6000 do
  redis.call('HSET', data, unpack(fields, first, math.min(first + 5999, #fields)))
  calls = calls + 1
end
return {calls, 1, not holder and 1 or nil}
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
 * KEYS: the data hash, the staged one, the lease, then log, staged log, log, staged log…
 * ARGV: token, last committer as the claim found it, fields of the staged hash, then for each log '1' (it is staged) or
 * '0' (it is removed).
 * Answers `{calls, 'done'}`, also when an earlier attempt has done it; `{calls, 'lost'}` when somebody else holds the
 * lease or has committed since; `{calls, 'missing'}` when not all is there that was staged.
 */
export const REPLACE = script(`
local data, staged, lease, token, seen = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]
local holder = redis.call('GET', lease)
local last = redis.call('HGET', data, string.match(lease, 'lease:?%d*$')) or ''
local released = last == token .. '|0'
if (holder or token) ~= token or (not holder and last ~= seen and not released) then
  return {2, 'lost'}
end
local calls = 3
local fields = redis.call('HLEN', staged)
if fields == 0 and released then
  return {calls, 'done'}
end
local complete = fields == tonumber(ARGV[3])
for i = 4, #ARGV do
  if ARGV[i] == '1' then
    complete = redis.call('EXISTS', KEYS[2 * i - 3]) == 1 and complete
    calls = calls + 1
  end
end
if not complete then
  return {calls, 'missing'}
end
for i = 4, #ARGV do
  local log, staged_log = KEYS[2 * i - 4], KEYS[2 * i - 3]
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
redis.call('DEL', lease)
return {calls + 3, 'done'}
`);

const excerpts = new Map<string, Script>();

/**
 * Reads fields and logs, and lets the body of another script change them before they are sent.
 * KEYS: the data hash, then logs.
 * ARGV: how many fields, those, then the arguments of the body.
 * Answers `{calls, what the body returned, fields, logs}`; nil in the place of the first where the body has failed.
 */
export function excerptScript(body: string): Script {
  const known = excerpts.get(body);
  if (known !== undefined) return known;
  const made = script(`
local function cut(names, fields, logs, args)
${body}
end
local count = tonumber(ARGV[1])
local names, args, logs, calls = {}, {}, {}, 1
for i = 1, count do
  names[i] = ARGV[i + 1]
end
for i = count + 2, #ARGV do
  args[i - count - 1] = ARGV[i]
end
local fields = redis.call('HMGET', KEYS[1], unpack(names))
if #KEYS > 1 then
  logs = redis.call('MGET', unpack(KEYS, 2))
  calls = 2
end
local done, answer = pcall(cut, names, fields, logs, args)
return {calls, done and answer, fields, logs}
`);
  excerpts.set(body, made);
  return made;
}

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

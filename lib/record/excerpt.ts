import type { TargetState } from './state-model.js';
import { writeEnvelope } from './codec/envelope.js';
import { BLOCK } from './snapshots.js';

/** Of the format of the list of slots. No version before it was stored. */
const VERSION = 2;

/**
 * The ids of the targets by slot, for `EXCERPT`: the envelope with the version (codec/envelope.ts), then a line break
 * before, between and after the ids. A free slot is an empty line. Worked value: ` 2` and `\na\n\nb\n` where `a` has
 * slot 0, and `b` slot 2.
 */
export function writeSlots(targets: readonly (TargetState | null)[]): string {
  return writeEnvelope(VERSION, ['', ...targets.map((target) => target?.id ?? ''), ''].join('\n'));
}

/**
 * Cuts snapshots and logs down to one target where they are stored: of 500 targets they are 4 MB, and of one 20 KB. Each
 * becomes a text of the same format with one slot, which `readSnapshot` and `readChecks` read as slot 0.
 *
 * It is the body of a Lua script that is given `fields` and `logs` (texts by place, false for what is absent), `names` (of
 * the fields) and `args`: the id and, where it is known, the slot (else ''). The first field is the list of slots. It puts the
 * shorter texts in the place of those that are there, and answers with what `readExcerptNote` reads; '' where the list does
 * not have the id, and then it leaves out all of the history.
 *
 * A varint (codec/varint.ts) ends with the first character of `!#-O`, and all others in it are none of these.
 */
export const EXCERPT = `
local find, sub, byte = string.find, string.sub, string.byte
local NUMBER = '[^!#-O]*[!#-O]'
local function numbers(count)
  return '^' .. string.rep(NUMBER, count) .. '()'
end
local ONE, EIGHT = numbers(1), numbers(8)
-- How many numbers stand before the length of the histogram, by the version of the snapshot.
local BEFORE = { numbers(6), numbers(6), EIGHT, EIGHT }

-- The place of a character in the alphabet.
local function place(char)
  return char == 33 and 0 or char < 93 and char - 34 or char - 35
end

-- The number at a position, and the position behind it.
local function number(text, from)
  local value, scale = 0, 1
  while true do
    local digit = place(byte(text, from))
    from = from + 1
    if digit < 46 then
      return value + digit * scale, from
    end
    value = value + (digit - 46) * scale
    scale = scale * 46
  end
end

-- The position behind so many numbers.
local function skip(text, from, count)
  for _ = 1, math.floor(count / 8) do
    from = select(3, find(text, EIGHT, from))
  end
  for _ = 1, count % 8 do
    from = select(3, find(text, ONE, from))
  end
  return from
end

-- The version of a text, and where its body begins.
local function open(text)
  if byte(text) ~= 32 then
    return 1, 1
  end
  return byte(text, 2) - 48, 3
end

local function snapshot(text, slot)
  local version, from = open(text)
  local before = BEFORE[version]
  if not before then
    return sub(text, 1, 2)
  end
  local head, refers
  head, from = number(text, from)
  if version == 1 then
    local first = from
    head, from = number(text, from)
    refers = head == 0
    head = sub(text, 1, first - 1) .. '#'
  else
    refers = head % 2 == 1
    head = sub(text, 1, from - 1)
  end
  if refers then
    return text
  end
  local length, left = #text, slot
  if version > 3 then
    repeat
      if from > length then
        return head
      end
      local block
      block, from = number(text, from)
      if left >= ${BLOCK} then
        from = from + block
      end
      left = left - ${BLOCK}
    until left < 0
    left = left + ${BLOCK}
  end
  for _ = 1, left do
    if from > length then
      return head
    end
    if byte(text, from) == 33 then
      from = from + 1
    else
      local buckets
      buckets, from = number(text, select(3, find(text, before, from)))
      from = skip(text, from, 2 * buckets)
    end
  end
  if from > length or byte(text, from) == 33 then
    return head .. (version == 1 and '!' or '')
  end
  local buckets, last = number(text, select(3, find(text, before, from)))
  -- The length of the only block is not looked at.
  return head .. (version > 3 and '!' or '') .. sub(text, from, skip(text, last, 2 * buckets) - 1)
end

-- A row keeps its time, and has one check or none.
local function log(text, slot)
  local version, from = open(text)
  if version > 2 then
    return sub(text, 1, 2), ''
  end
  local rows, length, width = { sub(text, 1, from - 1) }, #text, 0
  while from <= length do
    local begin = from
    local time, shape
    time, from = number(text, from)
    if time == 0 then
      time, from = number(text, from)
      time = 1
    end
    rows[#rows + 1] = sub(text, begin, from - 1)
    local same = time % 2 == 0
    if same then
      shape = width
    else
      shape, from = number(text, from)
    end
    local count, check = math.floor(shape / 2), nil
    if shape % 2 == 0 then
      if slot < count then
        check = sub(text, from + 2 * slot, from + 2 * slot + 1)
      end
      from = from + 2 * count
    else
      local next = 0
      for _ = 1, count do
        local distance
        distance, from = number(text, from)
        next = next + distance
        if next == slot then
          check = sub(text, from, from + 1)
        end
        next = next + 1
        from = from + 2
      end
    end
    width = shape
    if not same then
      rows[#rows + 1] = check and '$' or '!'
    end
    rows[#rows + 1] = check
  end
  return table.concat(rows), width % 2 == 0 and width / 2 or ''
end

local function slotOf(id, list)
  local at = list and find(list, '\\n' .. id .. '\\n', 1, true)
  return at and select(2, string.gsub(sub(list, 1, at - 1), '\\n', ''))
end

local slot = tonumber(args[2]) or slotOf(args[1], fields[1])
for i, name in ipairs(names) do
  if find(name, '^[hd]%d') and fields[i] then
    fields[i] = slot and snapshot(fields[i], slot) or false
  end
end
local widths = {}
for i, text in ipairs(logs) do
  widths[i] = ''
  if text and slot then
    logs[i], widths[i] = log(text, slot)
  else
    logs[i] = false
  end
end
fields[1] = false
return slot and slot .. ',' .. table.concat(widths, ',') or ''
`;

/** What the script says of the texts that it has cut. */
export interface ExcerptNote {
  readonly slot: number;
  /** How many checks the last row of each log has; null: it has gaps, or there is no row. */
  readonly widths: readonly (number | null)[];
}

/** Null: the list does not have the id. */
export function readExcerptNote(text: string): ExcerptNote | null {
  if (text === '') return null;
  const [slot = -1, ...widths] = text.split(',').map((word) => (word === '' ? null : Number(word)));
  return { slot: slot ?? -1, widths };
}

import { emptyMailing, type Mailing, type News, type PendingNews } from '../rules/mailing.js';
import { readEnvelope, writeEnvelope } from './codec/envelope.js';
import { asList, asNumber, asNumbers, asText, asTime, orNull, parseJson } from './codec/json.js';
import { NewerTextError, TextError } from './codec/text-error.js';

/** Of the format of this field. Version 2 is the first, and has no list of unknown mailboxes. */
const VERSION = 3;
const FIRST_VERSION = 2;

/**
 * @param now when there is nothing stored yet: notes that are older are no news
 * @throws TextError for what `writeMailing` did not write
 */
export function readMailing(text: string | null, now: number): Mailing {
  if (text === null) return emptyMailing(now);
  const { version, body } = readEnvelope(text, 'the mailing', VERSION);
  if (version < FIRST_VERSION) throw new TextError('the mailing begins with no version');
  const [cursor, latest, pending, ahead, told, windows, lastNote, noteMark, sent, trouble, unknown = []] =
    asList(parseJson(body, 'the mailing'));
  const [day, count] = asList(sent);
  return {
    cursor: asText(cursor),
    latest: asNumber(latest),
    pending: asList(pending).map(toPending),
    ahead: new Map(asList(ahead).map(toAhead)),
    told: new Map(
      asList(told).map((item) => {
        const [id, since, at] = asList(item);
        return [asText(id), { since: orNull(since, asTime), at: asNumbers(at) }] as const;
      }),
    ),
    windows: asList(windows).map((item) => {
      const [from, to] = asList(item);
      return { from: asTime(from), to: asTime(to) };
    }),
    lastNote: asNumber(lastNote),
    noteMark: orNull(noteMark, asTime),
    sent: { day: asNumber(day), count: asNumber(count) },
    trouble: orNull(trouble, (item) => {
      const [failures, nextAt, key, message] = asList(item);
      return {
        failures: asNumber(failures),
        nextAt: asTime(nextAt),
        key: asText(key),
        message: asText(message),
      };
    }),
    unknown: new Map(
      asList(unknown).map((item) => {
        const [key, times, since] = asList(item);
        return [asText(key), { times: asNumber(times), since: asTime(since) }] as const;
      }),
    ),
  };
}

function toAhead(item: unknown): [string, number] {
  const [key, number] = asList(item);
  return [asText(key), asNumber(number)];
}

function toPending(item: unknown): PendingNews {
  const [number, at, start, lapped, kind, ...rest] = asList(item);
  return {
    number: asNumber(number),
    at: asTime(at),
    start: asText(start),
    lapped: asNumber(lapped) !== 0,
    news: toNews(kind, rest),
  };
}

function toNews(kind: unknown, [a, b, c]: readonly unknown[]): News {
  switch (kind) {
    case 'down':
      return { kind, target: asText(a), startedAt: asTime(b), message: asText(c) };
    case 'up':
      return { kind, target: asText(a), startedAt: asTime(b), endedAt: asTime(c) };
    case 'note':
      return { kind, note: asText(a) };
    case 'maintenance':
      return { kind, from: asTime(a), to: asTime(b), targets: asList(c).map(asText) };
    default:
      throw new NewerTextError('the mailing holds news of an unknown kind');
  }
}

/**
 * The envelope with the version (codec/envelope.ts), then a JSON list in the order of `readMailing`. News is a list of its
 * number, when it came, where the sweep stood, 1 where that has begun at the top again (else 0), its kind, and what it says.
 *
 * Worked value: ` 3["",1,[[1,1767614400000,"",0,"down","api",1767614280000,"status 503"]],[],[["api",1767614280000,[1767614400000]]],[],1767610000000,null,[0,0],null,[]]`.
 */
export function writeMailing({ trouble, ...mailing }: Mailing): string {
  const { cursor, latest, pending, ahead, told, windows, lastNote, noteMark, sent, unknown } = mailing;
  const body = JSON.stringify([
    ...[cursor, latest, pending.map(packed), [...ahead]],
    [...told].map(([id, { since, at }]) => [id, since, at]),
    windows.map(({ from, to }) => [from, to]),
    ...[lastNote, noteMark],
    [sent.day, sent.count],
    trouble === null ? null : [trouble.failures, trouble.nextAt, trouble.key, trouble.message],
    [...unknown].map(([key, { times, since }]) => [key, times, since]),
  ]);
  return writeEnvelope(VERSION, body);
}

function packed({ number, at, start, lapped, news }: PendingNews): unknown[] {
  const head = [number, at, start, lapped ? 1 : 0, news.kind];
  switch (news.kind) {
    case 'down':
      return [...head, news.target, news.startedAt, news.message];
    case 'up':
      return [...head, news.target, news.startedAt, news.endedAt];
    case 'note':
      return [...head, news.note];
    case 'maintenance':
      return [...head, news.from, news.to, news.targets];
  }
}

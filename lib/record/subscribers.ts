import { createHmac, timingSafeEqual } from 'node:crypto';
import { mailIdentity } from '../rules/mail-address.js';
import { DAY } from '../time.js';
import { deflate, inflate, readEnvelope, writeEnvelope } from './codec/envelope.js';
import { asList, asText, asTime, parseJson } from './codec/json.js';
import { TextError } from './codec/text-error.js';

/** Of the format of this field. It is the first: version 1 is a text without a mark, and none was stored as one. */
const VERSION = 2;

/** Addresses that can be subscribed: so many take about 200 KB of the store, and each change moves three times that. */
export const MOST_SUBSCRIBERS = 10_000;
/** How long the link in the mail that asks for a confirmation is good, in ms. */
export const CONFIRMATION_TTL = DAY;
/** Addresses that have left lately: more than leave in a day but by a flood, which then drops the oldest. */
const MOST_LEFT = 2_000;

export interface Subscriber {
  readonly address: string;
  /** Of the mails to it: a language of pages. */
  readonly language: string;
}

/** Who has confirmed that they want mails. Nobody else's address is stored. */
export interface Subscribers {
  /** Of the links that unsubscribe: random, base64url, and the same for ever, so that these links are good for ever. */
  readonly key: string;
  /** In no order. */
  readonly list: readonly Subscriber[];
  /**
   * By `subscriberId`: when an address left, while links that were sent to it before could still confirm it. Ms since the
   * epoch.
   */
  readonly left: ReadonlyMap<string, number>;
}

/**
 * Names a subscriber in the links that unsubscribe. It says nothing of the address, cannot be guessed, and is the same for
 * every spelling of the address. 22 characters of base64url.
 */
export function subscriberId({ key }: Pick<Subscribers, 'key'>, address: string): string {
  return digest(key, `unsubscribe ${mailIdentity(address)}`);
}

/** Where a subscriber stands in the ring in which mails are sent; says nothing of the address either. */
export function ringKey({ key }: Pick<Subscribers, 'key'>, address: string): string {
  return digest(key, `order ${mailIdentity(address)}`);
}

/** What stands behind the id in a link that unsubscribes: 6 bytes. Whoever guesses one makes us read the store once. */
const SEAL = /^[\w-]{8}$/;
const ID_LENGTH = 22;
const ID = /^[\w-]{22}$/;

/** What stands in a link that unsubscribes: the id of a subscriber, sealed with the installation's secret. */
export function unsubscribeToken(settings: SealSettings, id: string): string {
  return id + sealOf(settings, id);
}

/**
 * What such a link says; null: it was not made by Keepalive. `isSealed`: it was made with the secret that is in force. Where
 * it was not, it may be from before the secret was changed, or from a version that did not seal.
 */
export function readUnsubscribeToken(
  settings: SealSettings,
  token: string,
): { readonly id: string; readonly isSealed: boolean } | null {
  const id = token.slice(0, ID_LENGTH);
  const seal = token.slice(ID_LENGTH);
  if (!ID.test(id) || (seal !== '' && !SEAL.test(seal))) return null;
  const expected = sealOf(settings, id);
  const isSealed = seal !== '' && timingSafeEqual(Buffer.from(seal), Buffer.from(expected));
  return { id, isSealed: isSealed && settings.cronSecret !== null };
}

interface SealSettings {
  readonly cronSecret: string | null;
  readonly prefix: string;
}

function sealOf({ cronSecret, prefix }: SealSettings, id: string): string {
  return createHmac('sha256', cronSecret ?? '')
    .update(`keepalive unsubscribe from ${prefix}: ${id}`)
    .digest()
    .subarray(0, 6)
    .toString('base64url');
}

function digest(key: string, text: string): string {
  return createHmac('sha256', `keepalive subscribers ${key}`)
    .update(text)
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

export type Subscribed = { readonly subscribers: Subscribers } | { readonly refused: 'left' | 'full' };

/**
 * The subscribers with one more.
 * @param asked when the confirmed link was asked for: after the address left, older links are refused
 */
export function subscribe(
  before: Subscribers,
  { address, language }: Subscriber,
  { asked, now }: { readonly asked: number; readonly now: number },
): Subscribed {
  const identity = mailIdentity(address);
  if (before.list.some((each) => mailIdentity(each.address) === identity)) return { subscribers: before };
  const id = subscriberId(before, address);
  const leftAt = before.left.get(id);
  if (leftAt !== undefined && asked <= leftAt) return { refused: 'left' };
  if (before.list.length >= MOST_SUBSCRIBERS) return { refused: 'full' };
  const left = new Map([...leftLately(before, now)].filter(([each]) => each !== id));
  return { subscribers: { ...before, list: [...before.list, { address, language }], left } };
}

/** The subscribers without those of these ids; the very same where there is none. */
export function unsubscribe(before: Subscribers, ids: ReadonlySet<string>, now: number): Subscribers {
  const gone = new Set<string>();
  const list = before.list.filter(({ address }) => {
    const id = subscriberId(before, address);
    if (ids.has(id)) gone.add(id);
    return !ids.has(id);
  });
  if (gone.size === 0) return before;
  const left = [...leftLately(before, now), ...[...gone].map((id) => [id, now] as const)].slice(-MOST_LEFT);
  return { ...before, list, left: new Map(left) };
}

function leftLately({ left }: Subscribers, now: number): [string, number][] {
  return [...left].filter(([, at]) => now - at < CONFIRMATION_TTL);
}

/** @param key for the first subscriber of all: 16 random bytes in base64url */
export function noSubscribers(key: string): Subscribers {
  return { key, list: [], left: new Map() };
}

/** Null: nobody has ever subscribed. @throws TextError for what `writeSubscribers` did not write */
export function readSubscribers(text: string | null): Subscribers | null {
  if (text === null) return null;
  const { version, body } = readEnvelope(text, 'the subscribers', VERSION);
  if (version < VERSION) throw new TextError('the subscribers begin with no version');
  const [key, languages, left] = asList(
    parseJson(inflate(body, DICTIONARY, 'the subscribers'), 'the subscribers'),
  );
  return {
    key: asText(key),
    list: asList(languages).flatMap((group) => {
      const [language, addresses] = asList(group);
      return asText(addresses)
        .split('\n')
        .map((address) => ({ address, language: asText(language) }));
    }),
    left: new Map(
      asList(left).map((pair): [string, number] => {
        const [id, at] = asList(pair);
        return [asText(id), asTime(at)];
      }),
    ),
  };
}

/** What many addresses hold: deflate refers to it instead of repeating it. It belongs to the version. */
const DICTIONARY = Buffer.from('@icloud.com\n@yahoo.com\n@hotmail.com\n@outlook.com\n@gmail.com\n["en","');

/**
 * The envelope with the version (codec/envelope.ts), then deflated JSON in base64: a list of the key, a list for each
 * language (its name, and its addresses in alphabetical order with line ends between them), and a list of pairs (an id, and
 * when it left).
 *
 * Worked value before it is deflated: `["AAAAAAAAAAAAAAAAAAAAAA",[["en","ann@example.com\nbob@example.com"]],[]]`.
 */
export function writeSubscribers({ key, list, left }: Subscribers): string {
  const languages = new Map<string, string[]>();
  for (const { address, language } of list) {
    const group = languages.get(language) ?? [];
    languages.set(language, group);
    group.push(address);
  }
  const groups = [...languages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([language, addresses]) => [language, addresses.sort().join('\n')]);
  const body = JSON.stringify([key, groups, [...left]]);
  return writeEnvelope(VERSION, deflate(body, DICTIONARY, 9));
}

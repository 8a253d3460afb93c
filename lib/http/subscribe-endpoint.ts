import { randomBytes } from 'node:crypto';
import type { App } from '../app.js';
import { nowOf, perApp } from '../app.js';
import type { Config } from '../config/config.js';
import { MAIL_REQUESTS_FIELD, SUBSCRIBERS_FIELD } from '../record/fields.js';
import {
  mostRequests,
  readMailRequests,
  withRequest,
  writeMailRequests,
  type MailRefusal,
  type MailRequest,
} from '../record/mail-requests.js';
import {
  noSubscribers,
  readSubscribers,
  readUnsubscribeToken,
  subscribe,
  subscriberId,
  unsubscribe,
  writeSubscribers,
  type Subscribers,
} from '../record/subscribers.js';
import { TextError } from '../record/codec/text-error.js';
import { mailboxOf, mailIdentity, parseMailAddress } from '../rules/mail-address.js';
import { StoreError, type Store } from '../store/store.js';
import { FRESH_FOR } from '../read/recent.js';
import { confirmationMail } from '../view/subscriber-mail.js';
import {
  confirmPage,
  doneConfirming,
  doneUnsubscribing,
  sentPage,
  subscribePage,
  unsubscribePage,
  badLinkPage,
} from '../view/subscribe-page.js';
import type { Site } from '../view/site.js';
import { confirmationToken, keyedHash, readConfirmation } from './confirmation-link.js';
import { guarded, noStore, readerOf, withApp } from './endpoints.js';
import { ERROR_STATUS, type ErrorCode } from './error-codes.js';
import { answerHtml, answerProblem, answerSignIn, prefersHtml } from './html.js';
import { changeField } from './operator-change.js';
import { isFromOurPage, ORIGIN_HEADERS, visitedOrigin } from './origin.js';
import { wordsFor } from './language.js';
import { siteFor } from './page-endpoint.js';
import { readText } from './request-body.js';
import { answerError } from './responses.js';
import { networkOf } from './sign-in-throttle.js';
import { SubscribeThrottle } from './subscribe-throttle.js';

/** Bytes of a form: one address, or what a mail service sends to unsubscribe. */
const MAX_FORM = 4096;

const throttleOf = perApp(() => new SubscribeThrottle());

/** `GET /subscribe` */
export function answerSubscribePage(request: Request): Promise<Response> {
  return withApp(
    request,
    (app) =>
      guarded(
        request,
        app,
        async ({ config }) => page(request, config, await siteFor(request, config)),
        answerProblem,
      ),
    answerProblem,
  );
}

/** The form and the addresses. @param problem why nothing was sent */
function page(request: Request, config: Config, site: Site, problem: Problem | null = null): Response {
  const origin = config.publicUrl ?? visitedOrigin(request);
  const view = {
    origin,
    takesMail: config.subscriptions !== null,
    problem: problem && site.words.text(problem.message),
  };
  const status = problem === null ? 200 : ERROR_STATUS[problem.code];
  const answer = answerHtml(subscribePage(view, site), site, { status });
  if (config.publicUrl === null) answer.headers.append('vary', ORIGIN_HEADERS);
  return answer;
}

interface Problem {
  readonly code: ErrorCode;
  readonly message: PlainMessage;
}

/** Messages without places for values. */
type PlainMessage =
  | (
      | 'noMails'
      | 'subscribeCrossSite'
      | 'tooLarge'
      | 'mailAddressWrong'
      | 'mailsTooMany'
      | 'mailsTooManyOfAll'
    )
  | ('mailsFailed' | 'linkIncomplete' | 'linkExpired' | 'linkUsed' | 'subscribersFull');

/**
 * `POST /subscribe` sends a link to the address. The answer is the same whether or not it is subscribed, gets mail, or has
 * been sent too many links.
 */
export function answerSubscribe(request: Request): Promise<Response> {
  return withApp(
    request,
    (app) => guarded(request, app, (found) => askForConfirmation(request, found), answerProblem),
    answerProblem,
  );
}

async function askForConfirmation(request: Request, app: App): Promise<Response> {
  const { config, store } = app;
  const site = await siteFor(request, config);
  const refuse = (code: ErrorCode, message: PlainMessage): Response =>
    prefersHtml(request)
      ? page(request, config, site, { code, message })
      : answerError(code, site.words.text(message));
  if (!isFromOurPage(request)) {
    return refuse('cross_site', 'subscribeCrossSite');
  }
  const { subscriptions, publicUrl } = config;
  if (subscriptions === null || publicUrl === null) return refuse('not_found', 'noMails');
  if (store === null) return noStore();
  const text = await readText(request, MAX_FORM);
  if (text === null) return refuse('too_large', 'tooLarge');
  const address = parseMailAddress(new URLSearchParams(text).get('address') ?? '');
  if (address === undefined) return refuse('bad_request', 'mailAddressWrong');

  const network = networkOf(request);
  const most = mostRequests(subscriptions.mailsPerDay);
  if (!throttleOf(app).take(network, { now: Date.now(), most: 2 * most })) {
    return refuse('too_many_attempts', 'mailsTooMany');
  }
  const mailbox = keyedHash(config, `mailbox ${mailboxOf(address)}`);
  const asked: MailRequest = { mailbox, network: keyedHash(config, `network ${network}`), at: nowOf(app) };
  const refusal = await countRequest(store, asked, most);
  if (refusal === 'conflict') return refuse('conflict', 'mailsFailed');
  if (refusal === 'from') return refuse('too_many_attempts', 'mailsTooMany');
  if (refusal === 'all') return refuse('too_many_attempts', 'mailsTooManyOfAll');
  if (refusal === null) {
    const token = confirmationToken(config, { address, language: site.words.language, asked: asked.at });
    const mail = confirmationMail(config.page, site.words, `${publicUrl}/confirm?t=${token}`);
    const { sendConfirmation } = await import('../run/confirmation-mail.js');
    const outcome = await sendConfirmation(config, address, { mail, at: asked.at, id: token });
    if (outcome.kind === 'failed') {
      console.log(`subscribers: no link sent: ${outcome.message}`);
      await forgetRequest(store, asked);
      return refuse('mail_failed', 'mailsFailed');
    }
  }
  return answerHtml(sentPage(address, site), site);
}

/** Null: a mail may be sent, and is counted. */
async function countRequest(
  store: Store,
  asked: MailRequest,
  most: number,
): Promise<MailRefusal | 'conflict' | null> {
  const found: { refusal: MailRefusal | null } = { refusal: null };
  const answer = await changeField(store, MAIL_REQUESTS_FIELD, (text) => {
    const result = withRequest(readMailRequests(text), asked, most);
    found.refusal = 'refused' in result ? result.refused : null;
    return 'refused' in result
      ? new Response()
      : { value: writeMailRequests(result.requests), answer: () => new Response() };
  });
  return answer.ok ? found.refusal : 'conflict';
}

/** The mail could not be sent: another may be asked for at once. */
async function forgetRequest(store: Store, asked: MailRequest): Promise<void> {
  await changeField(store, MAIL_REQUESTS_FIELD, (text) => {
    const left = readMailRequests(text).filter(
      ({ mailbox, at }) => mailbox !== asked.mailbox || at !== asked.at,
    );
    return { value: writeMailRequests(left), answer: () => new Response() };
  });
}

/** `GET /confirm?t=…` changes nothing: programs that look at mails open their links. */
export function answerConfirmPage(request: Request): Promise<Response> {
  return withConfirmation(request, ({ site }, { address }, token) =>
    Promise.resolve(answerSignIn(confirmPage({ address, token }, site), site)),
  );
}

/** `POST /confirm?t=…` subscribes the address. To do it again changes nothing. */
export function answerConfirm(request: Request): Promise<Response> {
  return withConfirmation(request, async ({ app, site }, confirmation, token) => {
    const { store } = app;
    if (store === null) return noStore();
    const { address, asked } = confirmation;
    const done = (): Response => answerHtml(doneConfirming(address, site), site);
    const known = await subscribersOf(app);
    const isKnown = known?.identities.has(mailIdentity(address)) === true;
    if (isKnown && !isFirstLately(app, token)) return done();
    return changeSubscribers(store, (subscribers, now) => {
      const before = subscribers ?? noSubscribers(randomBytes(16).toString('base64url'));
      const found = subscribe(before, confirmation, { asked, now });
      if ('subscribers' in found) return { subscribers: found.subscribers, answer: done };
      return found.refused === 'left'
        ? badLink(request, site, 'expired_link', 'linkUsed')
        : badLink(request, site, 'subscribers_full', 'subscribersFull');
    });
  });
}

/** A link that was made here and is still good. */
function withConfirmation(
  request: Request,
  answer: (
    asked: { readonly app: App; readonly site: Site },
    confirmation: Exclude<ReturnType<typeof readConfirmation>, string>,
    token: string,
  ) => Promise<Response>,
): Promise<Response> {
  return withApp(
    request,
    async (app) => {
      const { config } = app;
      const site = await openSite(request, config);
      if (config.subscriptions === null) return badLink(request, site, 'not_found', 'noMails');
      const token = tokenOf(request);
      const confirmation = readConfirmation(config, token, nowOf(app));
      if (confirmation === 'forged') return badLink(request, site, 'bad_link', 'linkIncomplete');
      if (confirmation === 'expired') return badLink(request, site, 'expired_link', 'linkExpired');
      return answer({ app, site }, confirmation, token);
    },
    answerProblem,
  );
}

/** `GET /unsubscribe?t=…` changes nothing, as above. */
export function answerUnsubscribePage(request: Request): Promise<Response> {
  return withApp(
    request,
    async ({ config }) => {
      const token = tokenOf(request);
      const site = await openSite(request, config);
      return readUnsubscribeToken(config, token) === null
        ? badLink(request, site, 'bad_link', 'linkIncomplete')
        : answerSignIn(unsubscribePage(token, site), site);
    },
    answerProblem,
  );
}

/**
 * `POST /unsubscribe?t=…`, from the page or from a mail service (RFC 8058), without a login, and for ever: also where nobody
 * can subscribe any more. The answer is the same whether or not somebody was subscribed.
 */
export function answerUnsubscribe(request: Request): Promise<Response> {
  return withApp(
    request,
    async (app) => {
      const { config, store } = app;
      const site = await openSite(request, config);
      const link = readUnsubscribeToken(config, tokenOf(request));
      if (link === null) return badLink(request, site, 'bad_link', 'linkIncomplete');
      if (store === null) return noStore();
      const done = (): Response => answerHtml(doneUnsubscribing(site), site);
      const known = await subscribersOf(app);
      const isKnown = known?.ids.has(link.id) === true;
      if (!isKnown && !(link.isSealed && isFirstLately(app, link.id))) return done();
      const ids = new Set([link.id]);
      return changeSubscribers(store, (subscribers, now) =>
        subscribers === null ? done() : { subscribers: unsubscribe(subscribers, ids, now), answer: done },
      );
    },
    answerProblem,
  );
}

/** Whoever follows a link in a mail need not have signed in, where the status is private. */
async function openSite(request: Request, { page }: Config): Promise<Site> {
  return { isPrivate: false, page, words: await wordsFor(request, page) };
}

function tokenOf({ url }: Request): string {
  return new URL(url).searchParams.get('t') ?? '';
}

function badLink(request: Request, site: Site, code: ErrorCode, message: PlainMessage): Response {
  const text = site.words.text(message);
  if (!prefersHtml(request)) return answerError(code, text);
  return answerHtml(badLinkPage(text, site), site, { status: ERROR_STATUS[code] });
}

const askedOf = perApp((): { since: number; links: Set<string> } => ({ since: 0, links: new Set() }));

/**
 * Whether a link that was made here is used for the first time within 5 s. Then the store itself is asked: another process
 * may have changed what this one remembers. Used again and again, a link costs the store no more than made-up ones.
 */
function isFirstLately(app: App, link: string): boolean {
  const asked = askedOf(app);
  const now = Date.now();
  if (now - asked.since >= FRESH_FOR || now < asked.since) {
    asked.since = now;
    asked.links = new Set();
  }
  if (asked.links.has(link)) return false;
  asked.links.add(link);
  return true;
}

/** What is asked of the subscribers again and again. */
interface Known {
  readonly text: string;
  readonly ids: ReadonlySet<string>;
  readonly identities: ReadonlySet<string>;
}

const knownOf = perApp((): { latest: Known | null } => ({ latest: null }));

/** The subscribers as they were within the last 5 s: who sends made-up links costs the store one read in that time. */
async function subscribersOf(app: App): Promise<Known | null> {
  const reader = readerOf(app);
  if (reader === null) return null;
  const { fields } = await reader.read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
  const text = fields.get(SUBSCRIBERS_FIELD) ?? null;
  const kept = knownOf(app);
  if (text === null || kept.latest?.text === text) return text === null ? null : kept.latest;
  const subscribers = parsed(text);
  if (subscribers === null) return null;
  kept.latest = {
    text,
    ids: new Set(subscribers.list.map(({ address }) => subscriberId(subscribers, address))),
    identities: new Set(subscribers.list.map(({ address }) => mailIdentity(address))),
  };
  return kept.latest;
}

/** What cannot be read is never replaced: it may be all addresses. */
function parsed(text: string | null): Subscribers | null {
  try {
    return readSubscribers(text);
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw new StoreError('store_corrupt', `What is stored cannot be read: ${cause.message}.`, { cause });
  }
}

function changeSubscribers(
  store: Store,
  apply: (
    before: Subscribers | null,
    now: number,
  ) => { readonly subscribers: Subscribers; readonly answer: () => Response } | Response,
): Promise<Response> {
  return changeField(store, SUBSCRIBERS_FIELD, (text, now) => {
    const before = parsed(text);
    const found = apply(before, now);
    if (found instanceof Response) return found;
    const isSame = text !== null && found.subscribers === before;
    return { value: isSame ? text : writeSubscribers(found.subscribers), answer: found.answer };
  });
}

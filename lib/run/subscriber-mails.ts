import { MAILS_AT_ONCE, type Mailer, type MailSession } from '../deliver/mailer.js';
import type { Ledger } from '../record/ledger.js';
import { MAILING_FIELD, NOTE_MARK_FIELD, NOTES_FIELD, SUBSCRIBERS_FIELD } from '../record/fields.js';
import { readMailing, writeMailing } from '../record/mailing-text.js';
import { readableNotes, type Note } from '../record/notes.js';
import {
  readSubscribers,
  ringKey,
  subscriberId,
  unsubscribe,
  unsubscribeToken,
  writeSubscribers,
  type Subscriber,
} from '../record/subscribers.js';
import { TextError } from '../record/codec/text-error.js';
import {
  afterMails,
  afterRefusals,
  allowedNow,
  goneKeys,
  isSendersFault,
  mostRefused,
  nextRecipients,
  wantsNotes,
  withoutGone,
  withNotes,
  withoutPending,
  withSituations,
  type Mailing,
  type MailOutcome,
  type Recipient,
} from '../rules/mailing.js';
import { inMaintenance, isActive } from '../rules/windows.js';
import { withinLimit } from '../store/retry.js';
import { StoreError, type Store, type Texts } from '../store/store.js';
import { LANGUAGES, type Target } from '../types.js';
import type { MailText } from '../view/subscriber-mail.js';
import type { RunContext } from './run-context.js';
import { groupsWithCopies, updateCopies } from '../store/shared-copies.js';

/** Ms for one mail. */
const MAIL_TIMEOUT = 10_000;
/** Ms that a database may take for each step in which addresses are removed: the run is not recorded yet. */
const REMOVAL_TIMEOUT = 2_000;
/**
 * Mails of a run after which the database is told, where each commit costs commands: so many are sent twice at most if the
 * process dies meanwhile. The embedded database is told after every four.
 */
export const MOST_UNSAVED = 250;

/** What a run needs to send mails to subscribers. */
interface Parts {
  readonly context: RunContext;
  readonly mailer: Mailer;
  readonly store: Store;
  readonly openedAt: number;
  /** The claim has read subscribers and notes as well. */
  readonly hasRead: boolean;
}

/**
 * Tells subscribers: finds what is news, and goes on with the mails where the run before has stopped. Who was told is
 * recorded behind the mails: if the process dies between the two, those are told again, with mails of the same Message-ID.
 */
export class SubscriberMails {
  /** As far as it is known. */
  private stored: string | null;
  private mailing: Mailing;
  private readonly mark: number | null;
  /** By their keys, in the order of these; null: not read. */
  private subscribers: ReadonlyMap<string, Subscriber & { readonly id: string }> | null = null;
  private keys: readonly string[] = [];
  /** The text that they were read from. */
  private list: string | null = null;
  private notes: readonly Note[] = [];
  private names: ReadonlyMap<string, string> = new Map();
  private sent = 0;
  private refused = 0;
  private unknown = 0;
  private mostRefused = 0;
  /** What the server answered the last time that it refused a recipient. */
  private refusal = '';
  /** By its language and the numbers of the news in it. */
  private readonly written = new Map<string, MailText | null>();

  /** @throws TextError for a stored text that is not one of ours */
  private constructor(
    private readonly parts: Parts,
    private readonly texts: Texts,
  ) {
    const { backlog } = parts.context;
    this.stored = texts.get(MAILING_FIELD) ?? null;
    const known = backlog.mailing?.stored === this.stored ? backlog.mailing.now : this.stored;
    this.mailing = readMailing(known, parts.openedAt);
    const mark = texts.get(NOTE_MARK_FIELD);
    this.mark = mark !== undefined && /^[0-9a-z]{1,10}$/.test(mark) ? parseInt(mark, 36) : null;
  }

  /** Null: nobody can subscribe here, or what is stored cannot be read. @param texts what the claim has read */
  static open(
    context: RunContext,
    store: Store | null,
    {
      texts,
      openedAt,
      hasRead,
    }: { readonly texts: Texts; readonly openedAt: number; readonly hasRead: boolean },
  ): SubscriberMails | null {
    const { mailer } = context;
    if (mailer === null || store === null || context.config.subscriptions === null) return null;
    try {
      return new SubscriberMails({ context, mailer, store, openedAt, hasRead }, texts);
    } catch (error) {
      if (!(error instanceof TextError)) throw error;
      context.log(JSON.stringify({ event: 'mailing_unreadable', message: error.message }));
      return null;
    }
  }

  /** Takes what the run has judged for news. */
  observe(ledger: Ledger): void {
    const { openedAt } = this.parts;
    const shown = [...ledger.targets.values()].filter(({ info }) => info.show !== 'none');
    this.names = new Map(shown.map(({ info: { id, name } }) => [id, name]));
    const situations = shown.map((target) => ({
      id: target.info.id,
      incident: ledger.incidentOf(target.info.id),
      muted: isMuted(target, openedAt),
      windows: target.maintenance.flatMap((window) => (window.kind === 'once' ? [window] : [])),
    }));
    this.mailing = withSituations(this.mailing, situations, ledger.ends, openedAt);
  }

  /**
   * Reads who is to be told, where there is something to tell, and the notes. It is one command.
   * @param mayRead whether there is room for it: what the claim has read already needs none
   */
  async prepare(mayRead: boolean): Promise<void> {
    const { store, openedAt, context, hasRead } = this.parts;
    const { texts } = this;
    const readsNotes = wantsNotes(this.mailing, this.mark, openedAt);
    const tells = this.mailing.pending.length > 0 && this.allowed > 0;
    if (!readsNotes && !tells && goneKeys(this.mailing, openedAt).length === 0) return;
    if (!hasRead && !mayRead) return;
    try {
      const fields = hasRead
        ? texts
        : (await store.read({ fields: [SUBSCRIBERS_FIELD, NOTES_FIELD], logs: [] })).fields;
      // Of several shards, one tells of the notes that are about none of their targets.
      const isFirst = (context.shard ?? 0) === 0;
      this.notes = readableNotes(fields.get(NOTES_FIELD) ?? null).filter(({ target }) =>
        target === null ? isFirst : this.names.has(target),
      );
      const list = fields.get(SUBSCRIBERS_FIELD) ?? null;
      const subscribers = readSubscribers(list);
      this.list = list;
      if (readsNotes) {
        const notes = this.notes.map(({ id }) => ({ id, number: parseInt(id, 36) }));
        this.mailing = withNotes(this.mailing, notes, this.mark, openedAt);
      }
      const found = subscribers?.list.map((each): [string, Subscriber & { readonly id: string }] => [
        ringKey(subscribers, each.address),
        { ...each, id: subscriberId(subscribers, each.address) },
      ]);
      this.subscribers = new Map(found?.sort(([a], [b]) => (a < b ? -1 : 1)));
      this.keys = [...this.subscribers.keys()];
      this.mailing = nextRecipients(
        this.keys.length === 0 ? withoutPending(this.mailing) : this.mailing,
        this.keys,
        1,
      ).mailing;
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof TextError)) throw error;
      context.log(JSON.stringify({ event: 'subscribers_unreadable', message: error.message }));
    }
  }

  /** Mails can be sent now. */
  get isDue(): boolean {
    return this.subscribers !== null && this.mailing.pending.length > 0 && this.allowed > 0;
  }

  /** There are addresses whose mailboxes are gone for good, and the list of addresses was read. */
  get hasGone(): boolean {
    return this.list !== null && goneKeys(this.mailing, this.parts.openedAt).length > 0;
  }

  /** There are more shards than are stored together: the list that was read is a copy, or has copies. */
  get hasCopies(): boolean {
    return this.groups.length > 0;
  }

  private get groups(): readonly number[] {
    return groupsWithCopies(this.parts.context.shards ?? 1);
  }

  /**
   * Takes those addresses away, in one swap against the list that was read. If a visitor or another shard has changed it, or
   * a copy could not be written, a later run goes on.
   */
  async removeGone(): Promise<void> {
    const { openedAt, context } = this.parts;
    const store = context.together?.store ?? this.parts.store;
    const gone = goneKeys(this.mailing, openedAt);
    const ids = gone.flatMap((key) => this.subscribers?.get(key)?.id ?? []);
    try {
      const before = readSubscribers(this.list);
      if (before === null) return;
      if (ids.length > 0) {
        const value = writeSubscribers(unsubscribe(before, new Set(ids), openedAt));
        const swap = { field: SUBSCRIBERS_FIELD, expected: this.list, value };
        const isRemoved = await withinLimit(REMOVAL_TIMEOUT, store.swap(swap));
        if (isRemoved) {
          const addresses = ids.length === 1 ? '1 address' : `${ids.length} addresses`;
          context.log(
            `subscribers: ${addresses} removed: their mail servers say that there is no such mailbox`,
          );
        }
        // Also where it was not: the copy that was read may be out of date.
        await updateCopies(store, [SUBSCRIBERS_FIELD], this.groups, REMOVAL_TIMEOUT);
        if (!isRemoved) return;
      }
      this.mailing = withoutGone(this.mailing, gone);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      context.log(JSON.stringify({ event: 'subscribers_not_removed', message: error.message }));
    }
  }

  /** What a commit is to write; nothing where nothing has changed. */
  get fields(): Readonly<Record<string, string>> {
    const text = writeMailing(this.mailing);
    return text === this.stored ? {} : { [MAILING_FIELD]: text };
  }

  private get allowed(): number {
    const { context, openedAt } = this.parts;
    const perDay = context.config.subscriptions?.mailsPerDay ?? 0;
    return allowedNow(this.mailing, Math.ceil(perDay / (context.shards ?? 1)), openedAt);
  }

  /**
   * Sends what is due, until it is done or the time is up.
   * @param save records how far it has come; false: it cannot
   */
  async send({
    until,
    stopping,
    save,
  }: {
    readonly until: number;
    readonly stopping: AbortSignal;
    readonly save: (fields: Readonly<Record<string, string>>) => Promise<boolean>;
  }): Promise<void> {
    const { context, mailer, store } = this.parts;
    const savesEach = store.kind === 'sqlite';
    const first = this.mailing;
    this.mostRefused = mostRefused(first);
    const session = await mailer.open();
    try {
      while (context.now() < until && !stopping.aborted) {
        const room = savesEach ? Infinity : MOST_UNSAVED - this.sent - this.refused;
        const isGoingOn = await this.sendSome(session, Math.min(MAILS_AT_ONCE, this.allowed, room));
        // Nobody was told yet: whether those were refused through our fault is decided at the end.
        const isOpen = this.sent === 0 && this.refused > 0;
        if (savesEach && !isOpen && !(await save(this.fields))) break;
        if (!isGoingOn) break;
      }
    } finally {
      session.close();
      const { sent, refused, unknown } = this;
      if (isSendersFault({ sent, refused, unknown }, this.keys.length)) {
        this.mailing = afterRefusals(first, this.refusal, context.now());
        context.log(`subscribers: not told: ${this.mailing.trouble?.message ?? ''}`);
      }
      this.report();
    }
  }

  /** A commit that wrote this text was made. */
  onSaved(text: string): void {
    this.stored = text;
  }

  /** The last commit has failed: the process remembers who was told. */
  remember(): void {
    const { backlog } = this.parts.context;
    backlog.mailing = { stored: this.stored, now: writeMailing(this.mailing) };
  }

  /** Sends the next mails, all at once. @returns whether there may be more */
  private async sendSome(session: MailSession, most: number): Promise<boolean> {
    const { context } = this.parts;
    const { mailing: before, recipients } = nextRecipients(this.mailing, this.keys, most);
    this.mailing = before;
    if (recipients.length === 0) return false;
    const outcomes = await Promise.all(recipients.map((recipient) => this.tell(session, recipient)));
    this.sent += outcomes.filter(({ kind }) => kind === 'sent').length;
    this.refused += outcomes.filter(({ kind }) => kind === 'refused').length;
    for (const outcome of outcomes) {
      if (outcome.kind !== 'refused') continue;
      this.refusal = outcome.message;
      if (outcome.isUnknown) this.unknown += 1;
    }
    this.mailing = afterMails(before, this.keys, recipients, outcomes, context.now());
    if (this.sent === 0 && this.refused >= this.mostRefused) return false;
    if (this.mailing.trouble === null || this.mailing.trouble === before.trouble) return true;
    context.log(`subscribers: not told: ${this.mailing.trouble.message}`);
    return false;
  }

  private async tell(session: MailSession, { key, news }: Recipient): Promise<MailOutcome> {
    const { config, now } = this.parts.context;
    const { publicUrl, page } = config;
    const subscriber = this.subscribers?.get(key);
    if (subscriber === undefined || publicUrl === null) return { kind: 'nothing' };
    const numbers = news.map(({ number }) => number).join();
    const [{ mailFoot, newsMail }, { wordsIn }] = await Promise.all([
      import('../view/subscriber-mail.js'),
      import('../view/language.js'),
    ]);
    const language = page.language ?? LANGUAGES.find((each) => each === subscriber.language) ?? 'en';
    const words = await wordsIn(language, page.timeZone);
    const at = now();
    const known = this.written.get(`${language} ${numbers}`);
    const written =
      known === undefined
        ? newsMail(
            news.map((each) => each.news),
            {
              names: this.names,
              notes: new Map(this.notes.map((note) => [note.id, note])),
              ...{ page, words, publicUrl, now: at },
            },
          )
        : known;
    this.written.set(`${language} ${numbers}`, written);
    if (written === null) return { kind: 'nothing' };
    const unsubscribeUrl = `${publicUrl}/unsubscribe?t=${unsubscribeToken(config, subscriber.id)}`;
    const mail = {
      to: subscriber.address,
      subject: written.subject,
      text: written.text + mailFoot(page, words, unsubscribeUrl, at),
      ...{ at, id: `${key} ${numbers}`, unsubscribeUrl, listId: new URL(publicUrl).hostname },
    };
    return session.send(mail, AbortSignal.timeout(MAIL_TIMEOUT));
  }

  private report(): void {
    const { context } = this.parts;
    context.backlog.expectsMails = this.isDue;
    if (this.sent + this.refused === 0) return;
    const refused = this.refused === 0 ? '' : `, ${this.refused} refused`;
    const perDay = context.config.subscriptions?.mailsPerDay ?? 0;
    const isUsedUp = this.mailing.pending.length > 0 && this.mailing.trouble === null && this.allowed === 0;
    const limit = isUsedUp
      ? `; PAGE_MAILS_PER_DAY=${perDay} is reached, the others follow after midnight UTC`
      : '';
    context.log(`subscribers: told ${this.sent}${refused}${limit}`);
  }
}

function isMuted({ info, maintenance, activeHours }: Target, now: number): boolean {
  return !info.enabled || inMaintenance(maintenance, now) || !isActive(activeHours, now);
}

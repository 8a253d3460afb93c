import type { CauseKind } from './causes.js';

/** A sentence for one, and one for every other number. */
export interface Forms {
  readonly one: string;
  readonly other: string;
}

/**
 * What the status page, the history and the page of a service say, each sentence whole: what stands in braces is put in
 * by `fill` or `Phrase`.
 */
export const TEXT = {
  // The sentence at the top
  allUp: 'All systems operational',
  restUp: 'All active systems operational',
  oneDown: '{name} is down',
  severalDown: '{count} of {total} services are down',
  allDown: 'All {total} services are down',
  oneDegraded: '{name} is degraded',
  severalDegraded: 'Some systems are degraded',
  maintenance: 'Maintenance is under way',
  pending: 'Waiting for the first checks',
  sleeping: 'Outside active hours',
  paused: 'Everything is paused',
  stale: 'Nothing has been checked for {length}',
  lost: 'The recorded data is gone',
  // Below it
  checked: 'Last checked {time}',
  neverChecked: 'Not checked yet',
  showing: '{count} of {total} services shown',
  showAll: 'Show all',
  // What is wrong
  problems: 'Current problems',
  problemsThen: 'Problems when services were last checked',
  since: 'Since {time}, for {length}',
  moreProblems: { one: '{count} more problem', other: '{count} more problems' },
  moreServices: { one: 'and {count} more service', other: 'and {count} more services' },
  severalServices: '{count} services',
  details: 'Details',
  maintenanceUntil: 'Maintenance until {time}',
  everything: 'All services',
  upcoming: 'Upcoming maintenance',
  moreUpcoming: { one: '{count} more window', other: '{count} more windows' },
  notes: 'Notes',
  noteOn: 'Note on {name}',
  noteOnAll: 'Note',
  calendarName: 'Maintenance',
  calendarEvent: 'Maintenance: {names}',
  // Services
  services: 'Services',
  otherServices: 'Other services',
  service: 'Service',
  bars: 'Last 90 days',
  barsBegin: '90 days ago',
  barsEnd: 'today',
  uptime: 'Uptime',
  latency: 'Latency',
  latency24: 'Latency, 24 h',
  observed: '{share} observed',
  wasStatus: 'Was {status}',
  groupAllUp: 'All up',
  groupDown: { one: '{count} down', other: '{count} down' },
  groupDegraded: { one: '{count} degraded', other: '{count} degraded' },
  groupOther: '{parts}',
  // Filter
  filter: 'Filter services',
  filterName: 'Name',
  filterState: 'State',
  anyState: 'Any state',
  apply: 'Apply',
  noMatch: 'No service matches.',
  // Bars
  barsFine: { one: 'no downtime on {count} day', other: 'no downtime on {count} days' },
  barsBad: { one: 'downtime on {count} day of {total}', other: 'downtime on {count} days of {total}' },
  barsUnseen: { one: 'no data on {count} day', other: 'no data on {count} days' },
  barsNothing: 'no data yet',
  barsOf: '{label}: {days}',
  dayTroubled: 'Down for {length}, less than 5% of the day',
  dayBad: 'Down for {length}',
  dayUnsure: 'Mostly not observed',
  dayUnsureDown: 'Mostly not observed, down for {length} of what was',
  dayFine: 'No downtime',
  dayUnseen: 'Not observed',
  dayNoData: 'No data',
  earlierDays: { one: 'and {count} earlier day', other: 'and {count} earlier days' },
  allDays: 'All days',
  fineDays: 'No downtime on any day that was observed.',
  otherDays: 'No downtime on the other days.',
  // The page of a service
  windows: { '24h': '24 hours', '7d': '7 days', '30d': '30 days', '90d': '90 days' },
  allObserved: 'all observed',
  nothingDue: 'nothing was due',
  dayByDay: 'Day by day',
  dayColumns: ['Day (UTC)', 'Uptime', 'Observed', 'Down', 'Pings', 'Failed', 'p50', 'p95'],
  incidents: 'Incidents',
  openIncident: 'Open incident',
  noneOnRecord: 'None on record.',
  noneBefore: 'None before the open one.',
  earlierIncidents: { one: '{count} earlier incident', other: '{count} earlier incidents' },
  statusSince: 'since {time}',
  unknownSince: 'not known since {time}',
  statusUntil: 'until {time}',
  statusUntilReason: 'until {time}: {reason}',
  pingedEvery: 'checked every {interval}',
  hostedOn: 'hosted on {host}',
  latencies: {
    p50: { name: 'Median (p50)', meaning: 'Half of the checks were faster.' },
    p95: { name: 'p95', meaning: '95 of 100 checks were faster.' },
    p99: { name: 'p99', meaning: '99 of 100 checks were faster.' },
  },
  lastLatency: 'Last check',
  latencyNote: 'Of the good checks of the last 24 hours, without those that woke the host.',
  // Past incidents
  past: 'Past incidents',
  history: 'Incident history',
  historyShort: 'History',
  historyTitle: 'Incident history, last 90 days',
  historyLink: 'Incident history of 90 days',
  backToStatus: 'Current status',
  noIncidents: 'No incidents',
  noOtherIncidents: 'No incidents but those above',
  moreIncidents: { one: 'and {count} more incident', other: 'and {count} more incidents' },
  noData: 'Nothing was recorded',
  fromTo: '{from} – {to}',
  lasted: '{from} to {to} ({length})',
  briefly: '{from}, for {length}',
  stillOpen: 'Since {time}, not over yet',
  unobserved: 'Not observed for {length} of it.',
  restarts: { one: 'Restarted once.', other: 'Restarted {count} times.' },
  maintenanceFromTo: 'Maintenance, {from} to {to}',
  cutOff: {
    one: 'One service had more incidents than are listed here. Its own page lists up to 100.',
    other: '{count} services had more incidents than are listed here. Their own pages list up to 100 each.',
  },
  daysNote: 'Days begin at midnight UTC. Incidents are listed on the day they began.',
  // How far what is shown can be trusted
  noDataYet: 'No check has been made yet. Results appear here after the first one.',
  lostAll:
    'What was recorded from {from} to {to} is no longer in the database. Recording starts again with the next check.',
  lostBefore: 'What was recorded from {from} to {to} is lost: the database was emptied.',
  outOfDate: 'Out of date.',
  outOfDateSince: 'Nothing has been checked since {time}, and what is shown here is from then.',
  operatorHint: 'If you run this page, {command} tells you what to do.',
  operatorFirstRun: 'The first run records it: let a scheduler call {path} with {header}.',
  operatorTrigger: 'Check the trigger that calls {path}.',
  began: 'No earlier data: recording began {time}.',
  // The end of the page
  asOf: 'As of {time}',
  json: 'JSON',
  feed: 'Feed',
  calendar: 'Calendar',
  feedTitle: '{name}: incidents',
  // The top of every page
  contact: 'Contact',
} as const;

/** What pages say that have no state to show. */
export const NOTICES = {
  noService: 'No such service',
  noServiceText: 'No service is watched here under this name. It may have been renamed or removed.',
  notAllowed: 'Nothing can be sent here',
  notAllowedText: 'This address does not take what was sent to it.',
  noPage: 'Page not found',
  noPageText: 'There is no page at this address.',
  allServices: 'All services',
  invalid: 'The configuration is not valid',
  invalidText: 'Nothing is checked until it is corrected. The log of the build lists what is wrong.',
  unreadable: 'The status cannot be shown right now',
  unreadableText:
    'The database does not answer as it should. Services are still checked, and the results are kept until it does.',
  tryAgain: 'Try again',
  failed: 'This page could not be made',
  noDatabase: 'A database is missing',
  nothingWatched: 'Nothing is watched yet',
  nothingShown: 'No service is shown here',
  nothingShownText: 'Whoever runs this page shows none of its services to the public.',
  setUp: 'Set what is missing as environment variables, and deploy again.',
  stepTargets: 'Say what to watch',
  stepStore: 'Give it a database',
  stepStoreText: '{url} and {token} (the Upstash integration sets them), or {redis}.',
  stepSecret: 'Let a scheduler in',
  stepSecretText: '{secret}, at least 16 characters: {command}',
  stepCheck: 'See whether all of it works',
  done: 'done',
  toDo: 'to do',
  isPrivate: 'This status is private',
  token: 'Token',
  tokenHint: 'Ask whoever runs this page for the token.',
  signIn: 'Sign in',
} as const;

/** What a visitor reads of a failed or degraded check. `{status}` is the HTTP status. */
export const CAUSES: Readonly<Record<CauseKind, string>> = {
  error_status: 'Returned an error ({status})',
  other_status: 'Returned an unexpected status ({status})',
  timeout: 'Did not answer in time',
  name: 'Its name could not be looked up',
  unreachable: 'Could not be reached',
  refused: 'Refused the connection',
  broken_off: 'Closed the connection without a complete answer',
  expired_certificate: 'Its certificate has expired',
  expiring_certificate: 'Its certificate expires soon',
  tls: 'No secure connection could be made',
  content: 'Answered without the expected content',
  not_well: 'Reported a problem of its own',
  too_large: 'Sent too large an answer',
  redirect: 'Redirected to a wrong address',
  invalid: 'Gave an answer that makes no sense',
  query: 'Did not accept the query of the check',
  host: 'Its host answered in place of it',
  slow: 'Answers slowly',
  other: 'Does not work as it should',
};

/** The page on which visitors subscribe, those behind the links in mails, and the mails themselves. */
export const SUBSCRIBE = {
  title: 'Subscribe',
  intro: 'Hear of outages, maintenance and notes without looking at {name}.',
  // By e-mail
  mail: 'By e-mail',
  mailText:
    'You get a mail when a service goes down and when it is up again, for planned maintenance, and for notes. Your address is stored only after you have confirmed it, and only until you unsubscribe.',
  address: 'E-mail address',
  send: 'Subscribe',
  // Feed, calendar, webhook
  feed: 'By feed',
  feedText: 'Incidents and notes as an Atom feed. A feed reader needs this address:',
  chatText: 'Slack reads feeds as well. Write in a channel:',
  calendar: 'By calendar',
  calendarText:
    'Maintenance as a calendar that stays up to date. Subscribe to this address in your calendar:',
  webhook: 'By webhook',
  webhookText:
    'This shell script needs nothing but curl. Run it once a minute: it posts the feed to an address of yours when it has changed.',
  webhookAddress: 'https://example.com/your-webhook',
  // What came of the form
  sentTitle: 'Look into your mailbox',
  sentText:
    'If {address} can get mail, a message with a link is on its way. Follow the link within 24 hours to confirm that you want mails from {name}. Nothing is stored until then.',
  sentAgain: 'Nothing came? Look into your spam folder, and try again in a few minutes.',
  badAddress: 'That is not an e-mail address that mails can be sent to.',
  tooMany: 'Too many mails were asked for from your network. Try again tomorrow.',
  tooManyOfAll: 'Too many people subscribe at this moment. Try again in an hour.',
  cannotSend: 'No mail can be sent at this moment. Try again later.',
  noMails: 'Nobody can subscribe by e-mail here.',
  // The links in mails
  confirmTitle: 'Confirm your subscription',
  confirmText: 'Shall mails from {name} go to {address}?',
  confirm: 'Confirm',
  confirmedTitle: 'You are subscribed',
  confirmedText: 'Mails from {name} go to {address} from now on. Each has a link to unsubscribe.',
  badLinkTitle: 'This link does not work',
  badLink: 'It is not complete, or was not made here.',
  expiredLink: 'It was good for 24 hours. Subscribe again to get a new one.',
  usedLink: 'This address has unsubscribed since the link was made. Subscribe again to get a new one.',
  full: 'No more addresses can be subscribed here.',
  unsubscribeTitle: 'Unsubscribe',
  unsubscribeText: 'Shall {name} send you no more mails?',
  unsubscribe: 'Unsubscribe',
  unsubscribedTitle: 'You are unsubscribed',
  unsubscribedText:
    '{name} sends no more mails to the address that got this link, and does not store it any more.',
  // Mails
  confirmSubject: 'Confirm your subscription to {name}',
  confirmMail:
    'Somebody, most likely you, asked for mails from {name} to this address.\n\nTo confirm it, open this link within 24 hours:\n{link}\n\nIf it was not you, ignore this mail: nothing is stored, and no more mails follow.',
  down: '{name} is down',
  downText: 'Since {time}. {cause}.',
  up: '{name} is up again',
  upText: 'It was down {span} ({length}).',
  planned: 'Planned maintenance: {names}',
  plannedText: 'From {from} to {to}.',
  moreNews: { one: 'and {count} more', other: 'and {count} more' },
  why: 'You get this mail because this address is subscribed to {name}.',
  leave: 'Unsubscribe: {link}',
} as const;

export type Values = Readonly<Record<string, string | number>>;

/** A text with its values put in. */
export function fill(text: string, values: Values): string {
  const known = new Map(Object.entries(values));
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(known.get(name) ?? place));
}

/** The form for `count`, with it and the other values put in. */
export function counted(forms: Forms, count: number, values: Values = {}): string {
  return fill(count === 1 ? forms.one : forms.other, { ...values, count });
}

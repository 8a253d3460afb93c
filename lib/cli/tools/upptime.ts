import { isIPv6 } from 'node:net';
import {
  Collector,
  fieldsOf,
  isOn,
  listOf,
  literal,
  marked,
  milliseconds,
  NO_PING,
  quoted,
  searchText,
  seconds,
  textOf,
  unmarked,
  withoutScheme,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { CHANNEL_VARIABLES } from './channels.js';

/** `$NAME` of Upptime is a secret of its repository. */
const SECRETS = /(?<!\$)\$([A-Z_][A-Z0-9_]*)/g;

const REPOSITORY = 'there is no repository, and nothing is committed';
const ELSEWHERE = 'peers and Globalping give opinions from elsewhere (docs/peers.md)';
const PAGE = 'the page has a look of its own (docs/pages.md)';

/** `.upptimerc.yml` */
export function fromUpptime(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  const assignees = new Set(listOf(top.get('assignees')).map(textOf));
  for (const site of listOf(marked(top.get('sites'), SECRETS)).map(fieldsOf)) {
    const slug = textOf(site.get('slug'));
    const draft = collector.target({
      name: textOf(site.get('name')),
      address: textOf(site.get('url')),
      ...(slug === '' ? {} : { id: slug }),
    });
    const check = textOf(site.get('check'));
    if (!/^(?:icmp|tcp|ws|ssl)/.test(check)) putDefaults(draft);
    if (check === 'ssl') {
      draft.put('TLS_VERIFY', 'false');
      draft.put('TLS_EXPIRY', '7d');
    }
    for (const [key, value] of site) readSite(draft, site, { key, value, assignees });
    if (check.startsWith('icmp')) collector.refuse(draft, 'check: icmp-ping', NO_PING);
    else collector.add(draft);
  }
  for (const [key, value] of top) readTopLevel(collector, top, key, value);
  return collector.result();
}

/** What a request of Upptime has where its site says nothing else. */
function putDefaults(draft: TargetDraft): void {
  draft.put('TIMEOUT', '1m');
  draft.put('MAX_REDIRECTS', '3');
  draft.put('EXPECT_STATUS', ['200-208', '226', '300-308']);
}

interface Setting {
  readonly key: string;
  readonly value: unknown;
  /** Who is told of every site. */
  readonly assignees: ReadonlySet<string>;
}

function readSite(draft: TargetDraft, site: ToolFields, { key, value, assignees }: Setting): void {
  const text = textOf(value);
  switch (key) {
    case 'url':
      draft.set('URL', addressOf(site));
      if (text !== unmarked(text)) {
        draft.put('SHOW', 'name');
        draft.pass(key, 'show: name is written, since a part of the address is a secret');
      }
      break;
    case 'name':
    case 'slug':
    case 'port':
    case 'check':
      draft.carry();
      break;
    case 'verbose':
      draft.pass(key, 'keepalive check says how a check went');
      break;
    case 'ipv6':
      if (isOn(value)) draft.set('IP_VERSION', '6', key);
      else draft.carry();
      break;
    case 'type':
      if (text === 'globalping') draft.leave(key, ELSEWHERE);
      else draft.carry();
      break;
    case 'location':
      draft.leave(key, ELSEWHERE);
      break;
    case 'tags':
      draft.describe(`Tags: ${listOf(value).map(textOf).join(', ')}`);
      break;
    case 'maxRetries':
      // It counts the first attempt too.
      draft.set('RETRIES', String(Math.max(0, Number(text) - 1)));
      break;
    case 'requestTimeout':
      draft.set('TIMEOUT', seconds(text));
      break;
    case 'connectTimeout':
      draft.leave(key, 'timeout is for the attempt as a whole');
      break;
    case 'icon':
      draft.leave(key, 'the page has no icons');
      break;
    case 'assignees':
      if (listOf(value).every((each) => assignees.has(textOf(each)))) draft.carry();
      else draft.leave(key, 'alerts names the channels that are told of a target');
      break;
    case 'method':
      draft.set('METHOD', text);
      break;
    case 'body':
      draft.set('BODY', literal(text));
      break;
    case 'headers':
      draft.set(
        'HEADERS',
        draft.headers(
          listOf(value).map((each) => {
            const [header = '', ...rest] = textOf(each).split(':');
            return [header.trim(), rest.join(':').trim()] as const;
          }),
        ),
      );
      break;
    case 'expectedStatusCodes':
      draft.set('EXPECT_STATUS', listOf(value).map(textOf));
      break;
    case 'maxResponseTime':
      draft.set('DEGRADED_AFTER', milliseconds(Number(text)));
      break;
    case 'maxRedirects':
      draft.set('MAX_REDIRECTS', text);
      break;
    case '__dangerous__insecure':
    case '__dangerous__disable_verify_peer':
    case '__dangerous__disable_verify_host':
      draft.set('TLS_VERIFY', isOn(value) ? 'false' : 'true');
      break;
    case '__dangerous__body_down':
      draft.set('REJECT_BODY', searchText(text));
      break;
    case '__dangerous__body_down_if_text_missing':
      draft.set('EXPECT_BODY', searchText(text));
      break;
    case '__dangerous__body_degraded':
      draft.degradedIf(`$contains($body, ${quoted(text)})`);
      break;
    case '__dangerous__body_degraded_if_text_missing':
      draft.degradedIf(`$not($contains($body, ${quoted(text)}))`);
      break;
    default:
      draft.leave(key);
  }
}

function addressOf(site: ToolFields): string {
  const address = literal(textOf(site.get('url')));
  const check = textOf(site.get('check'));
  if (check === 'tcp-ping' || check === 'ssl') {
    const given = withoutScheme(address).replace(/[/?#].*$/s, '');
    const host = isIPv6(given) ? given : given.replace(/:\d{1,5}$/, '');
    const [scheme, port] = check === 'ssl' ? ['tls', '443'] : ['tcp', '80'];
    return `${scheme}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${textOf(site.get('port')) || port}`;
  }
  if (check === 'ws') return address.replace(/^http/i, 'ws');
  // What has no scheme is asked as curl does. A secret that stands for the beginning has one.
  return /^(?:[a-z]+:\/\/|\uE000)/i.test(address) ? address : `http://${address}`;
}

function readTopLevel(collector: Collector, top: ToolFields, key: string, value: unknown): void {
  switch (key) {
    case 'sites':
      break;
    case 'owner':
    case 'repo':
    case 'user-agent':
    case 'PAT':
    case 'runner':
    case 'commitMessages':
    case 'commitPrefixStatusUp':
    case 'commitPrefixStatusDown':
    case 'commitPrefixStatusDegraded':
    case 'summaryStartHtmlComment':
    case 'summaryEndHtmlComment':
    case 'liveStatusHtmlComment':
    case 'skipDescriptionUpdate':
    case 'skipTopicsUpdate':
    case 'skipHomepageUpdate':
    case 'skipPoweredByReadme':
    case 'skipDeleteIssues':
      collector.pass(key, REPOSITORY);
      break;
    case 'secrets':
      collector.pass(key, 'those that targets refer to are among the variables to set');
      break;
    case 'delay':
      collector.pass(key, 'targets are checked side by side');
      break;
    case 'customStatusWebsitePackage':
    case 'skipGeneratingWebsite':
      collector.leaveOwn(key, PAGE);
      break;
    case 'assignees':
      collector.variable(CHANNEL_VARIABLES.email, 'the mail addresses of the assignees', key);
      break;
    case 'workflowSchedule':
      for (const [workflow, schedule] of fieldsOf(value)) {
        const minutes = /^(?:\*|\d{1,2}-59)\/(\d{1,2}) \* \* \* \*$/.exec(textOf(schedule))?.[1];
        if (workflow !== 'uptime') collector.pass(`${key}.${workflow}`, REPOSITORY);
        else if (minutes === undefined) collector.leave(`${key}.uptime`, 'set KEEP_ALIVE_INTERVAL');
        else collector.setting('KEEP_ALIVE_INTERVAL', `${minutes}m`, `${key}.uptime`);
      }
      break;
    case 'status-website':
      readPage(collector, top, fieldsOf(value));
      break;
    case 'notifications':
      collector.leave(key, 'set up a channel of alerts (docs/alerts.md)');
      break;
    case 'i18n':
      collector.leave(key, 'PAGE_LANGUAGE chooses one of six languages');
      break;
    default:
      collector.leave(key);
  }
}

function readPage(collector: Collector, top: ToolFields, page: ToolFields): void {
  const introduction: string[] = [];
  for (const [setting, value] of page) {
    const text = textOf(value);
    const what = `status-website.${setting}`;
    switch (setting) {
      case 'name':
        collector.setting('PAGE_TITLE', text, what);
        break;
      case 'logoUrl':
        collector.setting('PAGE_LOGO_URL', text, what);
        break;
      case 'introTitle':
      case 'introMessage':
        introduction.push(withoutMarkdown(text));
        break;
      case 'cname':
        collector.setting('KEEP_ALIVE_PUBLIC_URL', `https://${text}`, what);
        break;
      case 'baseUrl':
      case 'apiBaseUrl':
      case 'publish':
      case 'singleCommit':
        collector.pass(what, REPOSITORY);
        break;
      case 'navbar':
        for (const entry of listOf(value).map(fieldsOf)) {
          const href = textOf(entry.get('href') ?? entry.get('url'))
            .replaceAll('$OWNER', () => textOf(top.get('owner')))
            .replaceAll('$REPO', () => textOf(top.get('repo')));
          if (href.startsWith('/'))
            collector.pass(`${what}, ${textOf(entry.get('title'))}`, 'it is the page itself');
          else collector.link(textOf(entry.get('title')), href, `${what}, ${textOf(entry.get('title'))}`);
        }
        break;
      default:
        collector.leaveOwn(what, PAGE);
    }
  }
  const said = introduction.filter((text) => text !== '').join(' ');
  if (said === '') return;
  collector.setting('PAGE_DESCRIPTION', said, 'status-website.introTitle and introMessage');
  if (introduction.length > 1) collector.carry();
}

/** Without emphasis, and of links only their words. */
function withoutMarkdown(text: string): string {
  return text
    .replace(/\[([^[\]]*)\]\([^()\s]*\)/g, '$1')
    .replace(/[*_`]{1,3}/g, '')
    .trim();
}

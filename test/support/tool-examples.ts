import type { ToolName } from '../../lib/cli/commands.js';

/**
 * The settings of an example of another tool: names and kinds of values as its own example has them, the values made up
 * for the tests where they do not matter.
 */
export interface ToolExample {
  readonly tool: ToolName;
  /** Where the example stands in the tool's repository or documentation. */
  readonly origin: string;
  readonly source: string;
}

/** Modules of the blackbox exporter with a scrape job for each. */
function blackbox(modules: Readonly<Record<string, string>>): string {
  const jobs = Object.keys(modules).map((name, index) => {
    const target = name.startsWith('websocket') ? `wss://h${index}.test` : `h${index}.test:1234`;
    return `  - { job_name: ${name}, params: { module: [${name}] }, static_configs: [{ targets: ["${target}"] }] }`;
  });
  const lines = Object.entries(modules).map(([name, module]) => `  ${name}: ${module}`);
  return ['modules:', ...lines, 'scrape_configs:', ...jobs].join('\n');
}

const gatusSite = (name: string, more = '', group = ''): string =>
  `  - { name: ${name}, ${group}url: "https://${name}.test/", interval: 5m, conditions: ["[STATUS] == 200"${more}] }`;
const GATUS_DOMAIN =
  '  - { name: domain, url: "https://d.test/", interval: 1h, conditions: ["[DOMAIN_EXPIRATION] > 720h"] }';
const GATUS_PING =
  '  - { name: ping, url: "icmp://p.test", interval: 1m, conditions: ["[CONNECTED] == true"] }';
const gatusDns = (body: string): string =>
  `  - { name: names, url: "9.9.9.9", interval: 5m, dns: { query-name: a.test, query-type: A }, conditions: ["[BODY] == ${body}", "[DNS_RCODE] == NOERROR"] }`;
const gatusStorage = (type: string): string =>
  [
    `storage: { type: ${type}, path: a }`,
    'endpoints:',
    gatusSite('back', ', "[CERTIFICATE_EXPIRATION] > 48h"', 'group: a, '),
    gatusSite('watch', '', 'group: b, '),
    gatusSite('files', '', 'group: b, '),
    gatusDns('1.2.3.4'),
    GATUS_PING,
  ].join('\n');

const FLARE_MONITOR = `id: 'a', name: 'A', target: 'https://a.test', tooltip: 'x', statusPageLink: 'https://a.test',
  expectedCodes: [200], timeout: 10000, headers: { 'User-Agent': 'a', Authorization: 'b' },`;
const FLARE_TCP = `{ id: 'b', name: 'B', method: 'TCP_PING', target: '1.2.3.4:22', tooltip: 'x', statusPageLink: 'https://b.test', timeout: 5000 }`;
const FLARE_PAGE = `title: 'A', links: [{ link: 'https://c.test/', label: 'C' }, { link: 'https://d.test/', label: 'D' },
  { link: 'mailto:e@f.test', label: 'E', highlight: true }],`;
const FLARE_TELEGRAM = `url: 'https://api.telegram.org/bot1:A/sendMessage', payloadType: 'x-www-form-urlencoded',
  payload: { chat_id: 1, text: '$MSG' }, timeout: 10000,`;
const flareMaintenance = (more: string): string => `
// const maintenances: MaintenanceConfig[] = []
const maintenances: MaintenanceConfig[] = [{ monitors: ['a', 'b'], title: 'A', body: 'B',
  start: '2026-04-27T00:00:00+08:00', end: '2026-04-30T00:00:00+08:00', color: 'blue' },${more}]
export { maintenances, pageConfig, workerConfig }`;

const DIALOGUE_IRC =
  '[{ send: "NICK a" }, { send: "USER a" }, { expect: "PING :([^ ]+)", send: "PONG ${1}" }, { expect: "^:[^ ]+ 001" }]';
const DIALOGUE_SMTP = String.raw`[{ expect: "^220 " }, { send: "EHLO a\r" }, { expect: "^250-STARTTLS" }, { send: "STARTTLS\r" }, { expect: "^220" }, { starttls: true }, { send: "EHLO a\r" }, { expect: "^250-AUTH" }, { send: "QUIT\r" }]`;
const DIALOGUE_POP3 = '[{ expect: "^+OK" }]';
const DIALOGUE_POSTGRES = '[{ send: !!binary AAAACATSFi8= }, { expect_bytes: S }, { starttls: true }]';
const DIALOGUE_WS = String.raw`[{ expect: '^Hello,\s(.+)', send: "I am ${'$'}{1}" }, { expect: ^Welcome }]`;
const RABBIT = String.raw`[{ send: "HELO\r" }, { send: "\r" }, { send: "\r" }, { send: "\r" }, { expect: "AMQP" }]`;

/** Every field that the form of a monitor of each kind offers, with a value that is not the one it begins with. */
const KUMA = JSON.stringify({
  notificationList: [
    { id: 1, name: 'chat', config: '{"type":"telegram"}' },
    { id: 2, name: 'mail', config: '{"type":"smtp"}' },
  ],
  monitorList: [
    { id: 1, type: 'group', name: 'Core', childrenIDs: [2] },
    {
      ...{
        id: 2,
        parent: 1,
        type: 'http',
        name: 'Web',
        description: 'x',
        url: 'https://w.test',
        method: 'POST',
      },
      ...{ interval: 60, retryInterval: 60, resendInterval: 0, maxretries: 2, timeout: 48, active: true },
      ...{
        headers: '{"X-A":"b"}',
        body: '{"a":1}',
        httpBodyEncoding: 'json',
        weight: 2000,
        upsideDown: false,
      },
      ...{ accepted_statuscodes: ['200-299'], maxredirects: 10, ignoreTls: true, expiryNotification: true },
      ...{
        authMethod: 'basic',
        basic_auth_user: 'u',
        basic_auth_pass: 'p',
        ipFamily: 'ipv4',
        cacheBust: false,
      },
      ...{
        tags: [{ name: 'a' }],
        notificationIDList: { 1: true },
        saveErrorResponse: true,
        saveResponse: false,
      },
      ...{
        dns_resolve_type: 'A',
        dns_resolve_server: '1.1.1.1',
        packetSize: 56,
        proxyId: null,
        mqttTopic: null,
      },
      ...{
        domainExpiryNotification: false,
        conditions: [],
        kafkaProducerBrokers: [],
        keyword: null,
        jsonPath: '$',
      },
    },
    {
      ...{ id: 3, type: 'keyword', name: 'Text', url: 'https://t.test', method: 'GET', keyword: 'up' },
      ...{ invertKeyword: true, interval: 30, maxretries: 0, timeout: 24, maxredirects: 0 },
      ...{ accepted_statuscodes: ['200-299', '404'], expiryNotification: false, active: false },
    },
    {
      ...{ id: 4, type: 'json-query', name: 'JSON', url: 'https://j.test', jsonPath: 'status' },
      ...{ jsonPathOperator: '==', expectedValue: 'ok', interval: 60, maxretries: 1, timeout: 48 },
      ...{ authMethod: 'bearer', bearer_token: 't' },
    },
    { id: 5, type: 'port', name: 'DB', hostname: 'd.test', port: 5432, interval: 60, maxretries: 1 },
    {
      ...{ id: 6, type: 'dns', name: 'Names', hostname: 'n.test', port: 53, dns_resolve_server: '1.1.1.1' },
      ...{ dns_resolve_type: 'MX', interval: 60, maxretries: 1 },
      conditions: [
        { type: 'expression', andOr: 'and', variable: 'record', operator: 'contains', value: 'm' },
      ],
    },
    {
      ...{ id: 7, type: 'postgres', name: 'PG', databaseConnectionString: 'postgres://u:p@p.test/d' },
      ...{ databaseQuery: 'SELECT 1', interval: 60, maxretries: 1 },
    },
    { id: 8, type: 'redis', name: 'Cache', databaseConnectionString: 'redis://r.test:6379', interval: 60 },
    {
      id: 9,
      type: 'smtp',
      name: 'Mail',
      hostname: 'm.test',
      port: 587,
      smtpSecurity: 'starttls',
      interval: 60,
    },
    {
      id: 10,
      type: 'websocket-upgrade',
      name: 'Chat',
      url: 'wss://c.test',
      wsSubprotocol: 'v2',
      interval: 60,
    },
    { id: 11, type: 'ping', name: 'Ping', hostname: 'p.test', interval: 60, maxretries: 1 },
    { id: 12, type: 'push', name: 'Job', interval: 60, pushToken: 'x', maxretries: 1 },
  ],
});

const ROBOT = (more: object) => ({
  ...{
    id: 1,
    friendly_name: 'A',
    url: 'http://a.test',
    type: 1,
    sub_type: '',
    keyword_type: '',
    keyword_value: '',
  },
  ...{ http_username: '', http_password: '', port: '', interval: 900, status: 1, create_datetime: 1 },
  ...{ monitor_group: 0, is_group_main: 0, logs: [{ type: 98, datetime: 1, duration: 2 }], ...more },
});

/** A monitor with all fields of `MonitorDto` (https://uptimerobot.com/api/v3/). */
const ROBOT_V3 = {
  ...{
    type: 'KEYWORD',
    interval: 300,
    sslBrand: "Let's Encrypt",
    sslExpiryDateTime: '2026-12-01T00:00:00.000Z',
  },
  ...{ domainExpireDate: null, checkSSLErrors: true, sslExpirationReminder: true },
  ...{ domainExpirationReminder: true, followRedirections: true, authType: 'HTTP_BASIC' },
  ...{ httpUsername: 'u', httpPassword: 'p', customHttpHeaders: { 'X-A': 'b' }, httpMethodType: 'POST' },
  ...{ successHttpResponseCodes: ['2xx', '3xx', '404'], timeout: 30, postValueType: 'RAW_JSON' },
  ...{ postValueData: { a: 1 }, port: null, gracePeriod: 0, keywordValue: 'Service Unavailable' },
  ...{ keywordCaseType: 0, keywordType: 'ALERT_EXISTS', responseTimeThreshold: 0 },
  config: { sslExpirationPeriodDays: [7, 14, 30], ipVersion: 'ipv4Only', applicationErrorRetries: 1 },
  regionalData: { REGION: ['na'], MANUAL_SELECTED: false, INFRASTRUCTURE: 'New', THRESHOLD: { na: 5000 } },
  maintenanceWindows: [
    {
      ...{ id: 1, userId: 1, name: 'Weekly', interval: 'weekly', date: null, time: '02:00:00', duration: 60 },
      ...{ autoAddMonitors: false, monitorIds: [800], days: [7], status: 'active', created: '2026-01-01' },
    },
  ],
  ...{ psps: [{ id: 1, friendlyName: 'Status', urlKey: 'x' }], id: 800, friendlyName: 'My Keyword monitor' },
  ...{ status: 'UP', url: 'https://example.test', currentStateDuration: 60, lastIncidentId: null, userId: 1 },
  tags: [{ id: 1, name: 'tag1', color: '#fff' }],
  assignedAlertContacts: [{ alertContactId: 10, threshold: 0, recurrence: 0 }],
  ...{ lastIncident: null, lastDayUptimes: { bucketSize: 1, histogram: [] }, createDateTime: '2026-01-01' },
  ...{ apiKey: 'm1', groupId: 0, customFields: { environment: 'production' } },
};

const CRON_JOB = {
  ...{ jobId: 1, enabled: true, title: 'A', saveResponses: false, url: 'https://a.test/', lastStatus: 0 },
  ...{ lastDuration: 0, lastExecution: 0, nextExecution: 1, type: 0, requestTimeout: 300, requestMethod: 0 },
  schedule: {
    ...{
      timezone: 'Europe/Berlin',
      hours: [-1],
      mdays: [-1],
      minutes: [0, 15, 30, 45],
      months: [-1],
      wdays: [-1],
    },
  },
};

/** All of them, in the order of the table in docs/moving.md. */
export const TOOL_EXAMPLES: readonly ToolExample[] = [
  {
    tool: 'uptime-kuma',
    origin: 'no example of its own: 12 monitors with the fields of `server/model/monitor.js`',
    source: KUMA,
  },
  {
    tool: 'uptimerobot',
    origin: 'API documentation: answer of `getMonitors`',
    source: JSON.stringify({
      stat: 'ok',
      monitors: [ROBOT({}), ROBOT({ id: 2, friendly_name: 'B', interval: 60, status: 2 })],
    }),
  },
  {
    tool: 'uptimerobot',
    origin: 'API documentation: a monitor with all parameters',
    source: JSON.stringify({
      monitors: [
        ROBOT({
          ...{ type: 2, keyword_type: 2, keyword_case_type: 1, keyword_value: 'up', http_username: 'u' },
          ...{ http_password: 'p', http_auth_type: 1, http_method: 3, post_type: 2, post_value: '{}' },
          ...{
            post_content_type: 1,
            custom_http_headers: { 'X-A': 'b' },
            custom_http_statuses: '404:0_200:1',
          },
          ...{ ignore_ssl_errors: 1, timeout: 30, disable_domain_expire_notifications: 0 },
          alert_contacts: [{ id: '1', type: 2, value: 'a@b.test', threshold: 0, recurrence: 30 }],
          mwindows: [{ id: 1, type: 3, value: '1-5', start_time: '02:00', duration: 30 }],
        }),
      ],
    }),
  },
  {
    tool: 'uptimerobot',
    origin: 'API v3 documentation: answer of `GET /monitors`, a monitor with all fields',
    source: JSON.stringify({ nextLink: null, data: [ROBOT_V3] }),
  },
  {
    tool: 'gatus',
    origin: '`.examples/docker-compose-grafana-prometheus`',
    source: [
      'metrics: true',
      'endpoints:',
      ...['a', 'b', 'c'].map((name) => gatusSite(name)),
      GATUS_DOMAIN,
    ].join('\n'),
  },
  {
    tool: 'gatus',
    origin: '`.examples/docker-compose-mattermost`',
    source: `alerting: { mattermost: { webhook-url: "http://m.test/hooks/a", insecure: true } }
endpoints:
  - { name: a, url: "https://a.test", interval: 1m, conditions: ["[STATUS] == 200"], alerts: [{ type: mattermost, description: x, send-on-resolved: true }] }`,
  },
  {
    tool: 'gatus',
    origin: '`.examples/docker-compose-mtls`',
    source: `endpoints:
  - { name: a, url: "https://a", interval: 30s, conditions: ["[STATUS] == 200"], client: { insecure: true, tls: { certificate-file: a, private-key-file: b, renegotiation: once } } }`,
  },
  {
    tool: 'gatus',
    origin: '`.examples/docker-compose-multiple-config-files` (3 files)',
    source: `endpoints:
  - { name: api, group: b, url: "https://a.test/", interval: 5m, conditions: ["[STATUS] == 200", "[BODY].status == UP", "[RESPONSE_TIME] < 1000"] }
${GATUS_PING}
${GATUS_DOMAIN}
---
endpoints:
  - { name: html, group: f, url: "https://b.test", interval: 5m, conditions: ["[STATUS] == 200", "[BODY] == pat(*<h1>A</h1>*)"] }
---
metrics: true
ui: { header: A, link: "https://c.test", buttons: [{ name: Home, link: "https://c.test" }] }`,
  },
  { tool: 'gatus', origin: '`.examples/docker-compose-postgres-storage`', source: gatusStorage('postgres') },
  { tool: 'gatus', origin: '`.examples/docker-compose-sqlite-storage`', source: gatusStorage('sqlite') },
  ...['docker-compose', 'docker-minimal'].map((name) => ({
    tool: 'gatus' as const,
    origin: `\`.examples/${name}\``,
    source: `endpoints:\n${gatusSite('a')}`,
  })),
  {
    tool: 'gatus',
    origin: '`.examples/kubernetes` (its config.yaml)',
    source: `metrics: true
endpoints:
${gatusSite('a', ', "[BODY].status == UP"')}
${gatusSite('b')}
${gatusSite('c', ', "[BODY].deleted == false", "len([BODY].text) > 0", "[BODY].text == pat(*cat*)", "[STATUS] == pat(2*)", "[CONNECTED] == true"')}
  - { name: d, url: "https://d.test/", conditions: ["[STATUS] == 200"] }`,
  },
  {
    tool: 'gatus',
    origin: '`config.yaml`',
    source: [
      'endpoints:',
      gatusSite('front', ', "[BODY].status == UP", "[RESPONSE_TIME] < 150"', 'group: a, '),
      gatusSite('back', ', "[CERTIFICATE_EXPIRATION] > 48h"', 'group: a, '),
      gatusSite('watch', '', 'group: b, '),
      gatusSite('files', '', 'group: b, '),
      gatusDns('pat(*.*.*.*)'),
      GATUS_PING,
      GATUS_DOMAIN,
    ].join('\n'),
  },
  {
    tool: 'uptimeflare',
    origin: '`uptime.config.full.ts`',
    source: `const pageConfig: PageConfig = { ${FLARE_PAGE} group: { 'G': ['a', 'c'], 'H': ['b'] }, maintenances: { upcomingColor: 'gray' } }
const workerConfig: WorkerConfig = {
  kvWriteCooldownMinutes: 3,
  monitors: [{ ${FLARE_MONITOR} method: 'POST', hideLatencyChart: false, body: 'x', responseKeyword: 'y',
    responseForbiddenKeyword: 'z', checkProxy: 'worker://weur', checkProxyFallback: true }, ${FLARE_TCP}],
  notification: { webhook: { ${FLARE_TELEGRAM} method: 'POST', headers: { foo: 'bar' } }, timeZone: 'Asia/Shanghai',
    gracePeriod: 5, skipNotificationIds: ['a', 'c'], skipErrorChangeNotification: true },
  callbacks: {
    onStatusChange: async (env: any, isUp: boolean) => {
      // nothing
    },
    onIncident: async (env: any) => {
      // nothing
    },
  },
}
${flareMaintenance(`...(function () { return [{ start: 'x' }] })(),`)}`,
  },
  {
    tool: 'uptimeflare',
    origin: '`uptime.config.ts`',
    source: `const pageConfig: PageConfig = { ${FLARE_PAGE} }
const workerConfig: WorkerConfig = {
  monitors: [{ ${FLARE_MONITOR} method: 'GET' }, ${FLARE_TCP}],
  notification: { webhook: { ${FLARE_TELEGRAM} }, timeZone: 'Asia/Shanghai', gracePeriod: 5 },
}
${flareMaintenance('')}`,
  },
  {
    tool: 'upptime',
    origin: '`.upptimerc.yml`',
    source: `owner: o
repo: r
sites:
${['a', 'b', 'c', 'd'].map((name) => `  - { name: ${name}, url: "https://${name}.test" }`).join('\n')}
  - { name: e, method: HEAD, url: "https://e.test" }
  - { name: f, url: $SECRET_SITE }
  - { name: g, url: 1.1.1.1 }
status-website:
  cname: status.test
  logoUrl: https://a.test/icon.svg
  name: A
  introTitle: "**A** is up."
  introMessage: This is [a page](https://a.test).
  navbar: [{ title: Status, href: / }, { title: Code, href: "https://github.com/$OWNER/$REPO" }]`,
  },
  {
    tool: 'upptime',
    origin: 'documentation: every option of a site',
    source: `owner: o
repo: r
user-agent: o
assignees: [a]
sites:
  - { name: a, url: "https://a.test?k=$KEY", method: POST, headers: ["Authorization: Bearer $S", "X-A: b"], body: "{}", icon: "https://a.test/a.png", expectedStatusCodes: [200, 404], maxResponseTime: 5000 }
  - { name: b, url: "https://b.test", __dangerous__disable_verify_peer: true, __dangerous__disable_verify_host: true, assignees: [a] }
  - { name: c, url: "https://c.test", __dangerous__insecure: true, __dangerous__body_down: x, __dangerous__body_degraded: y }
workflowSchedule: { graphs: "0 0 * * *", responseTime: "0 23 * * *", staticSite: "0 1 * * *", summary: "0 0 * * *", updateTemplate: "0 0 * * *", updates: "0 3 * * *", uptime: "*/5 * * * *" }`,
  },
  {
    tool: 'blackbox',
    origin: '`blackbox.yml`',
    source: blackbox({
      http_2xx: '{ prober: http, http: { preferred_ip_protocol: ip4 } }',
      http_post_2xx: '{ prober: http, http: { method: POST } }',
      tcp_connect: '{ prober: tcp }',
      pop3s_banner: `{ prober: tcp, tcp: { query_response: ${DIALOGUE_POP3}, tls: true, tls_config: { insecure_skip_verify: false } } }`,
      grpc: '{ prober: grpc, grpc: { tls: true, preferred_ip_protocol: ip4 } }',
      grpc_plain: '{ prober: grpc, grpc: { tls: false, service: a } }',
      ssh_banner:
        '{ prober: tcp, tcp: { query_response: [{ expect: "^SSH-2.0-" }, { send: "SSH-2.0-a" }] } }',
      ssh_banner_extract:
        '{ prober: tcp, timeout: 5s, tcp: { query_response: [{ expect: "^SSH-2.0-([^ -]+)(?: (.*))?$", labels: [{ name: a, value: "${1}" }] }] } }',
      irc_banner: `{ prober: tcp, tcp: { query_response: ${DIALOGUE_IRC} } }`,
      icmp: '{ prober: icmp }',
      icmp_ttl5: '{ prober: icmp, timeout: 5s, icmp: { ttl: 5 } }',
      websocket: '{ prober: websocket }',
      http_3xx:
        '{ prober: http, http: { preferred_ip_protocol: ip4, enable_http3: true, enable_http2: false, valid_http_versions: ["HTTP/3.0"] } }',
      postgresql: `{ prober: tcp, tcp: { query_response: ${DIALOGUE_POSTGRES} } }`,
    }),
  },
  {
    tool: 'blackbox',
    origin: '`example.yml`',
    source: blackbox({
      http_2xx:
        '{ prober: http, timeout: 5s, http: { valid_http_versions: ["HTTP/1.1", "HTTP/2.0"], valid_status_codes: [], method: GET, headers: { Host: a.test, Origin: b.test }, http_headers: { Accept-Language: { values: [en-US] } }, follow_redirects: true, fail_if_ssl: false, fail_if_not_ssl: false, fail_if_body_matches_regexp: [a], fail_if_body_not_matches_regexp: [b], fail_if_header_matches: [{ header: Set-Cookie, allow_missing: true, regexp: ".*" }], fail_if_header_not_matches: [{ header: Access-Control-Allow-Origin, regexp: "(\\\\*|a\\\\.test)" }], tls_config: { insecure_skip_verify: false }, preferred_ip_protocol: ip4, ip_protocol_fallback: false } }',
      http_with_proxy:
        '{ prober: http, http: { proxy_url: "http://127.0.0.1:3128", skip_resolve_phase_with_proxy: true } }',
      http_with_proxy_and_headers:
        '{ prober: http, http: { proxy_url: "http://127.0.0.1:3128", proxy_connect_header: { Proxy-Authorization: [a] } } }',
      http_post_2xx:
        '{ prober: http, timeout: 5s, http: { method: POST, headers: { Content-Type: application/json }, body: "{}" } }',
      http_post_body_file: '{ prober: http, timeout: 5s, http: { method: POST, body_file: a.txt } }',
      http_basic_auth:
        '{ prober: http, timeout: 5s, http: { method: POST, headers: { Host: a.test }, basic_auth: { username: u, password: p } } }',
      http_json_cel:
        "{ prober: http, timeout: 5s, http: { method: GET, fail_if_body_json_not_matches_cel: \"body.a == 'b' && body.c.startsWith('d')\" } }",
      http_oauth:
        '{ prober: http, timeout: 5s, http: { valid_http_versions: ["HTTP/1.1"], follow_redirects: true, preferred_ip_protocol: ip4, valid_status_codes: [200, 201], oauth2: { client_id: a } } }',
      http_custom_ca: '{ prober: http, http: { method: GET, tls_config: { ca_file: a.crt } } }',
      http_gzip: '{ prober: http, http: { method: GET, compression: gzip } }',
      http_gzip_accepted:
        '{ prober: http, http: { method: GET, compression: gzip, headers: { Accept-Encoding: gzip } } }',
      tls_connect: '{ prober: tcp, timeout: 5s, tcp: { tls: true } }',
      tcp_connect: '{ prober: tcp, timeout: 5s }',
      imap_starttls:
        '{ prober: tcp, timeout: 5s, tcp: { query_response: [{ expect: "OK.*STARTTLS" }, { send: ". STARTTLS" }, { expect: OK }, { starttls: true }, { send: ". capability" }, { expect: IMAP4rev1 }] } }',
      smtp_starttls: `{ prober: tcp, timeout: 5s, tcp: { query_response: ${DIALOGUE_SMTP} } }`,
      irc_banner: `{ prober: tcp, timeout: 5s, tcp: { query_response: ${DIALOGUE_IRC} } }`,
      rabbitmq: `{ prober: tcp, timeout: 30s, tcp: { query_response: ${RABBIT}, tls: true, tls_config: { insecure_skip_verify: false, ca_file: b.crt } } }`,
      rabbitmq_insecure: `{ prober: tcp, timeout: 30s, tcp: { query_response: ${RABBIT}, tls: true, tls_config: { insecure_skip_verify: true, ca_file: b.crt } } }`,
      icmp: '{ prober: icmp, timeout: 5s, icmp: { preferred_ip_protocol: ip4, source_ip_address: 127.0.0.1 } }',
      dns_udp:
        '{ prober: dns, timeout: 5s, dns: { query_name: a.test, query_type: A, valid_rcodes: [NOERROR], validate_answer_rrs: { fail_if_matches_regexp: [".*127.0.0.1"], fail_if_all_match_regexp: [".*127.0.0.1"], fail_if_not_matches_regexp: ["a.test.\\t300\\tIN\\tA\\t127.0.0.1"], fail_if_none_matches_regexp: ["127.0.0.1"] }, validate_authority_rrs: { fail_if_matches_regexp: [".*127.0.0.1"] }, validate_additional_rrs: { fail_if_matches_regexp: [".*127.0.0.1"] } } }',
      dns_soa: '{ prober: dns, dns: { query_name: a.test, query_type: SOA } }',
      dns_tcp:
        '{ prober: dns, dns: { transport_protocol: tcp, preferred_ip_protocol: ip4, query_name: a.test } }',
      unix_socket:
        '{ prober: unix, timeout: 5s, unix: { query_response: [{ send: PING }, { expect: PONG }] } }',
      postgresql: `{ prober: tcp, tcp: { query_response: ${DIALOGUE_POSTGRES} } }`,
      http_header_files: '{ prober: http, http: { http_headers: { X-API-Key: { files: [a.txt] } } } }',
      websocket_basic: `{ prober: websocket, websocket: { http_config: { basic_auth: { username: u, password: p }, tls_config: { insecure_skip_verify: true } }, headers: { X-A: b }, query_response: ${DIALOGUE_WS} } }`,
      websocket_bearer: `{ prober: websocket, websocket: { http_config: { authorization: { credentials: a }, tls_config: { insecure_skip_verify: true } }, headers: { X-A: b }, query_response: ${DIALOGUE_WS} } }`,
    }),
  },
  {
    tool: 'cronjob.org',
    origin: 'API documentation: answer of `GET /jobs`',
    source: JSON.stringify({ jobs: [CRON_JOB] }),
  },
  {
    tool: 'cronjob.org',
    origin: 'API documentation: answer of `GET /jobs/<id>`',
    source: JSON.stringify({
      jobDetails: {
        ...CRON_JOB,
        auth: { enable: false, user: '', password: '' },
        notification: { onFailure: false, onSuccess: false, onDisable: false },
        extendedData: { headers: { 'X-Foo': 'a' }, body: 'b' },
      },
    }),
  },
];

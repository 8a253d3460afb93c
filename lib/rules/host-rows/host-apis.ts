import { REPORTED, VENDOR, type ApiAnswer, type ApiQuestion, type HostApi, type HostSaid } from '../host.js';
import { itemsAt, numberAt, textAt, valueAt } from './json-values.js';

const silent = (message: string | null): HostSaid => ({ says: 'silent', message });
const running = (message: string | null = null): HostSaid => ({ says: 'running', message });
const asleep = (message: string): HostSaid => ({ says: 'asleep', message });
const unwakeable = (message: string): HostSaid => ({ says: 'unwakeable', message });
const NOT_FOUND: HostSaid = { says: 'not_found', message: null };
const REFUSED: HostSaid = { says: 'refused', message: null };

function get(address: string, headers: ApiQuestion['headers'], read: ApiQuestion['read']): ApiQuestion {
  return { address: new URL(address), method: 'GET', headers, body: null, read };
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** The first label of a name below the host's own domain; null: it is another domain. */
function labelBelow(target: URL, domain: string): string | null {
  const name = target.hostname.replace(/\.$/, '').toLowerCase();
  if (!name.endsWith(domain)) return null;
  const labels = name.slice(0, -domain.length);
  return /^[a-z0-9-]+$/.test(labels) ? labels : null;
}

/** Whether a text, an address or a bare name, names the host of a target. */
function isNameOf(text: string | null, target: URL): boolean {
  const name = text?.replace(/^https?:\/\//i, '').split('/', 1)[0];
  return name?.toLowerCase() === target.hostname.replace(/\.$/, '').toLowerCase();
}

const SERVICES = 'https://api.render.com/v1/services?limit=100';

/** https://api-docs.render.com/reference/list-services. It has no field that tells of sleep. */
export const RENDER_API: HostApi = {
  token: 'an API key',
  tells: 'whether the service is suspended; it says nothing of sleep',
  speaksOf: 'app',
  source: VENDOR,
  ask: (target, token) => renderServices(target, bearer(token), SERVICES),
};

function renderServices(target: URL, headers: ApiQuestion['headers'], address: string): ApiQuestion {
  return get(address, headers, (json) => {
    if (!Array.isArray(json)) return silent(null);
    const items = itemsAt(json);
    const service = items
      .map((item) => valueAt(item, 'service'))
      .find((each) => isNameOf(textAt(valueAt(each, 'serviceDetails'), 'url'), target));
    if (service !== undefined) return renderSaid(service);
    const cursor = textAt(items.at(-1), 'cursor');
    if (items.length < 100 || cursor === null) return NOT_FOUND;
    return renderServices(target, headers, `${SERVICES}&cursor=${encodeURIComponent(cursor)}`);
  });
}

function renderSaid(service: unknown): HostSaid {
  switch (textAt(service, 'suspended')) {
    case 'not_suspended':
      return silent('Render says that it is not suspended, and nothing of sleep');
    case 'suspended':
      return itemsAt(valueAt(service, 'suspenders')).includes('user')
        ? unwakeable('suspended on Render by its owner: resume it there')
        : unwakeable(
            "suspended on Render: see why there, or wait for the month's end if its 750 hours are used up",
          );
    case null:
    default:
      return silent(null);
  }
}

const RAILWAY = 'https://backboard.railway.com/graphql/v2';

/** The queries of Railway's own command line, cut to what is read: https://github.com/railwayapp/cli, src/gql. */
export const RAILWAY_API: HostApi = {
  token: 'a project token',
  tells: "whether the service's deployment sleeps",
  speaksOf: 'app',
  source: VENDOR,
  ask: (target, token) =>
    railwayQuery(token, 'query { projectToken { projectId environmentId } }', {}, (data) => {
      const found = valueAt(data, 'projectToken');
      const projectId = textAt(found, 'projectId');
      const environmentId = textAt(found, 'environmentId');
      if (projectId === null || environmentId === null) return silent(null);
      return railwayQuery(token, RAILWAY_SERVICES, { projectId, environmentId }, (services) =>
        railwaySaid(services, target),
      );
    }),
};

const RAILWAY_SERVICES =
  'query ($projectId: String!, $environmentId: String!) { environment(id: $environmentId, projectId: $projectId) { serviceInstances { edges { node { sleepApplication latestDeployment { status } domains { serviceDomains { domain } customDomains { domain } } } } } } }';

function railwayQuery(
  token: string,
  query: string,
  variables: Readonly<Record<string, string>>,
  read: (data: unknown) => ApiAnswer,
): ApiQuestion {
  return {
    address: new URL(RAILWAY),
    method: 'POST',
    headers: { 'Project-Access-Token': token, 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    read: (json) => {
      const errors = itemsAt(valueAt(json, 'errors')).map((error) => textAt(error, 'message') ?? '');
      if (errors.length === 0) return read(valueAt(json, 'data'));
      return errors.some((message) =>
        /not authorized|unauthorized|invalid token|token not found/i.test(message),
      )
        ? REFUSED
        : silent(null);
    },
  };
}

function railwaySaid(data: unknown, target: URL): HostSaid {
  const edges = valueAt(valueAt(valueAt(data, 'environment'), 'serviceInstances'), 'edges');
  if (!Array.isArray(edges)) return silent(null);
  const instance = itemsAt(edges)
    .map((edge) => valueAt(edge, 'node'))
    .find((node) => {
      const domains = valueAt(node, 'domains');
      return [
        ...itemsAt(valueAt(domains, 'serviceDomains')),
        ...itemsAt(valueAt(domains, 'customDomains')),
      ].some((each) => isNameOf(textAt(each, 'domain'), target));
    });
  if (instance === undefined) return NOT_FOUND;
  switch (textAt(valueAt(instance, 'latestDeployment'), 'status')) {
    case 'SLEEPING':
      return asleep('Railway says that the app sleeps');
    case 'SUCCESS':
      return running(
        valueAt(instance, 'sleepApplication') === false
          ? 'Railway says that it runs, and is not set to sleep'
          : 'Railway says that it runs',
      );
    case 'CRASHED':
      return silent('Railway says that its latest deployment crashed: see its logs');
    case 'FAILED':
      return silent('Railway says that its latest deployment failed: see its logs');
    case 'REMOVED':
    case 'REMOVING':
      return silent('Railway says that its latest deployment is removed');
    case null:
    default:
      return silent(null);
  }
}

const KOYEB = 'https://app.koyeb.com/v1';

/** https://developer.koyeb.com; the states are those of its client, https://github.com/koyeb/koyeb-api-client-go. */
export const KOYEB_API: HostApi = {
  token: 'an API token',
  tells: 'whether the app is paused, and whether its instances sleep',
  speaksOf: 'app',
  source: VENDOR,
  ask: (target, token) =>
    get(`${KOYEB}/apps?limit=100`, bearer(token), (json) => {
      const apps = valueAt(json, 'apps');
      if (!Array.isArray(apps)) return silent(null);
      const app = itemsAt(apps).find((each) =>
        itemsAt(valueAt(each, 'domains')).some((domain) => isNameOf(textAt(domain, 'name'), target)),
      );
      const id = textAt(app, 'id');
      if (id === null) return NOT_FOUND;
      const status = textAt(app, 'status');
      if (status === 'PAUSED' || status === 'PAUSING')
        return unwakeable('the app is paused on Koyeb: resume it there');
      return get(
        `${KOYEB}/instances?order=desc&limit=100&app_id=${encodeURIComponent(id)}`,
        bearer(token),
        koyebSaid,
      );
    }),
};

/** Instances that have ended are listed too, and tell nothing. */
function koyebSaid(json: unknown): HostSaid {
  const statuses = itemsAt(valueAt(json, 'instances')).map((instance) => textAt(instance, 'status'));
  if (statuses.includes('HEALTHY')) return running('Koyeb says that it runs');
  if (statuses.includes('STARTING') || statuses.includes('ALLOCATING'))
    return asleep('Koyeb says that the app is starting');
  return statuses.includes('SLEEPING') ? asleep('Koyeb says that the app sleeps') : silent(null);
}

/** https://fly.io/docs/machines/api/machines-resource/ */
export const FLY_API: HostApi = {
  token: 'a token of the app (`fly tokens create deploy`)',
  tells: 'whether a machine of the app is started',
  speaksOf: 'app',
  source: VENDOR,
  ask: (target, token) => {
    const app = labelBelow(target, '.fly.dev');
    const authorization = /^(?:FlyV1|Bearer) /.test(token) ? token : `Bearer ${token}`;
    return app === null
      ? null
      : get(`https://api.machines.dev/v1/apps/${app}/machines`, { Authorization: authorization }, flySaid);
  },
};

function flySaid(json: unknown): HostSaid {
  if (!Array.isArray(json)) return silent(null);
  const machines = itemsAt(json);
  // Others, such as workers, answer no request.
  const serving = machines.filter(
    (machine) => itemsAt(valueAt(valueAt(machine, 'config'), 'services')).length > 0,
  );
  const states = (serving.length > 0 ? serving : machines).map((machine) => textAt(machine, 'state'));
  if (states.length === 0) return silent('Fly says that the app has no machine');
  if (states.includes('started')) return running('Fly says that a machine is started');
  if (states.includes('starting')) return asleep('Fly says that a machine is starting');
  return states.every((state) => state === 'stopped' || state === 'suspended' || state === 'stopping')
    ? asleep('Fly says that no machine is started')
    : silent(null);
}

/** https://supabase.com/docs/reference/api/v1-get-project */
export const SUPABASE_API: HostApi = {
  token: 'a token with the permission `project_admin_read`',
  tells: 'whether the project is paused',
  speaksOf: 'app',
  source: VENDOR,
  ask: (target, token) => {
    const ref = supabaseProject(target);
    return ref === null
      ? null
      : get(`https://api.supabase.com/v1/projects/${ref}`, bearer(token), supabaseSaid);
  },
};

/** `<ref>.supabase.co`, `db.<ref>.supabase.co`, or the user `postgres.<ref>` of the pooler. */
function supabaseProject(target: URL): string | null {
  const name = target.hostname.replace(/\.$/, '').toLowerCase();
  if (name.endsWith('.pooler.supabase.com')) return /^\w+\.([a-z0-9]+)$/.exec(target.username)?.[1] ?? null;
  return /^(?:db\.)?([a-z0-9]+)\.supabase\.(?:co|in)$/.exec(name)?.[1] ?? null;
}

function supabaseSaid(json: unknown): HostSaid {
  switch (textAt(json, 'status')) {
    case 'ACTIVE_HEALTHY':
      return running('Supabase says that the project is active');
    case 'ACTIVE_UNHEALTHY':
      return silent('Supabase says that the project is active and not healthy');
    case 'INACTIVE':
    case 'PAUSING':
      return unwakeable('the Supabase project is paused: restore it in the dashboard');
    case 'COMING_UP':
    case 'RESTORING':
    case 'RESTARTING':
      return asleep('Supabase says that the project is starting');
    case 'REMOVED':
      return unwakeable('the Supabase project is removed');
    case null:
    default:
      return silent(null);
  }
}

const HEROKU = 'https://api.heroku.com';
const HOUR = 3_600;

/** Undocumented; Heroku's own command line asks it. */
export const HEROKU_API: HostApi = {
  token: 'an API token of the account',
  tells: "how many of the month's Eco hours are used; it says nothing of sleep",
  speaksOf: 'account',
  source: REPORTED,
  ask: (_target, token) =>
    get(
      `${HEROKU}/account`,
      { ...bearer(token), Accept: 'application/vnd.heroku+json; version=3' },
      (account) => {
        const id = textAt(account, 'id');
        if (id === null || !/^[\w-]+$/.test(id)) return silent(null);
        return get(
          `${HEROKU}/accounts/${id}/actions/get-quota`,
          { ...bearer(token), Accept: 'application/vnd.heroku+json; version=3.account-quotas' },
          herokuSaid,
        );
      },
    ),
};

/** In seconds. */
function herokuSaid(json: unknown): HostSaid {
  const quota = numberAt(json, 'account_quota');
  const used = numberAt(json, 'quota_used');
  if (quota === null || used === null || quota <= 0) return silent(null);
  if (used >= quota)
    return unwakeable("Heroku's Eco hours of this month are used up: its apps run again next month");
  return silent(
    `Heroku says that ${Math.round(used / HOUR)} of ${Math.round(quota / HOUR)} Eco hours are used`,
  );
}

import type { HostName, HostWord, PublicTarget } from '../types.js';
import type { Advice } from './host.js';
import { HOSTS, isBelow } from './hosts.js';

/** What is worth saying of domains whose hosts have no rules. */
const OTHER_DOMAINS: readonly (Advice & { readonly domains: readonly string[] })[] = [
  {
    domains: ['.glitch.me'],
    what: 'Glitch ended its hosting in July 2025: nothing answers there any more.',
    todo: 'Move the app, and remove this target.',
  },
  {
    domains: ['.cyclic.app', '.cyclic.co'],
    what: 'Cyclic closed in May 2024: nothing answers there any more.',
    todo: 'Move the app, and remove this target.',
  },
  {
    domains: ['.deta.app', '.deta.dev'],
    what: 'Deta closed in October 2024: nothing answers there any more.',
    todo: 'Move the app, and remove this target.',
  },
  {
    domains: ['.b4a.run', '.back4app.io'],
    what: 'The free address of a Back4App container changes every hour.',
    todo: 'Give it a domain of your own.',
  },
  {
    domains: ['.replit.dev'],
    what: 'An address at replit.dev ends with the session of the editor.',
    todo: 'Use the address of the deployment, at replit.app.',
  },
];

type Advised = Pick<PublicTarget, 'host' | 'enabled' | 'healthUrl'>;

/** What the operator of a target has to know of its host. */
export function adviceOn({ host, enabled, healthUrl }: Advised): Advice[] {
  if (!enabled) return [];
  const { hostname, pathname } = new URL(healthUrl);
  const ofDomain = OTHER_DOMAINS.filter(({ domains }) => host === 'none' && isBelow(hostname, domains));
  const ofHost = HOSTS[host].warnings.filter(({ exceptPath }) => !exceptPath?.test(pathname));
  const ofPath = HOSTS[host].answers.flatMap(({ path, origin, message = '' }) =>
    origin === 'edge' && path?.test(pathname) ? [{ what: `${message}.`, todo: PATH_TODO }] : [],
  );
  return [...ofHost, ...ofPath, ...ofDomain].map(({ what, todo }) => ({ what, todo }));
}

const PATH_TODO = 'Ping a path that only the app itself answers.';

/** What is said of each target, said once: `a, b: …`. */
export function adviceByText(targets: readonly { readonly info: Advised & Pick<PublicTarget, 'id'> }[]) {
  const found = new Map<string, Advice & { readonly targets: string[] }>();
  for (const { info } of targets) {
    for (const advice of adviceOn(info)) {
      const known = found.get(advice.what) ?? { ...advice, targets: [] };
      known.targets.push(info.id);
      found.set(advice.what, known);
    }
  }
  return [...found.values()].map(({ what, todo, targets: ids }) => ({
    what: `${ids.join(', ')}: ${what}`,
    todo,
  }));
}

/**
 * What the API of a host said when it was asked with a token, for the operator.
 * @param variable of the token
 */
export function wordInWords(
  host: HostName,
  { says, message }: Pick<HostWord, 'says' | 'message'>,
  variable: string,
): { readonly text: string; readonly isTrouble: boolean } {
  const { title, api } = HOSTS[host];
  const trouble = (text: string) => ({ text, isTrouble: true });
  switch (says) {
    case 'refused':
      return trouble(`${title} refuses ${variable}: it has to be ${api?.token ?? 'another one'}`);
    case 'not_found':
      return trouble(`${title} was asked with ${variable}, which shows no app at this address`);
    case 'silent':
      return message === null
        ? trouble(`${title} was asked with ${variable}, and said nothing that is known`)
        : { text: message, isTrouble: false };
    case 'running':
    case 'asleep':
    case 'unwakeable':
      return { text: message ?? `${title} says that it runs`, isTrouble: false };
  }
}

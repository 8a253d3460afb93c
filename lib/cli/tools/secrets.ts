/**
 * Finds what is secret in the texts that other tools send: by its name (`token=…`), by its place (the path of a webhook,
 * login data) and by its look (letters and digits that are no words). Takes linear time.
 */

/**
 * What stands in the place of a secret that was found.
 * @param name for its variable
 * @param what it is, such as `the user name`
 */
export type Hide = (name: string, what: string) => string;

const SECRET_WORDS = new Set([
  ...[
    'token',
    'key',
    'apikey',
    'secret',
    'password',
    'passwd',
    'pwd',
    'pw',
    'pass',
    'sig',
    'signature',
    'jwt',
  ],
  ...['credential', 'credentials', 'accesstoken', 'accesskey', 'authtoken', 'authkey', 'apitoken', 'sas'],
  ...[
    'authorization',
    'passwort',
    'kennwort',
    'session',
    'sessionid',
    'sid',
    'bearer',
    'otp',
    'pin',
    'passphrase',
    'hmac',
    'cookie',
    'code',
    'k',
  ],
]);

/** Names that members of bodies have as well where nothing is secret. */
const PLAIN_MEMBER = /^(?:key|code|k)$/i;

/** Headers whose values are secret as a rule. */
export const SECRET_HEADER =
  /auth|bypass|cookie|token|secret|key|password|session|credential|signature|jwt|csrf/i;

/** `api_key`, `accessToken`, `auth` */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
  return /^auth$/i.test(name) || words.some((word) => SECRET_WORDS.has(word));
}

/** The variables that a text refers to. */
export function referencesIn(text: string): string[] {
  return [...text.matchAll(/\$\$\{|\$\{(\w+)\}/g)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

const isReference = (text: string): boolean => referencesIn(text).length > 0;

/** Characters that tokens are made of. */
const RUN = /[\w~+.-]{16,}/g;

/** Whether a text has a part in which letters and digits change places more often than in words. */
function looksSecret(text: string): boolean {
  return [...text.matchAll(RUN)].some(
    ([run]) => [...run.matchAll(/[a-z](?=\d)|\d(?=[a-z])/gi)].length >= LEAST_CHANGES,
  );
}

/** A token of 16 characters has 4 on an average, and one of 20 less than this in one of 30; `utf8-to-base64` has 2. */
const LEAST_CHANGES = 3;

/** What stands before the path of an address: scheme, login data, host and port. */
interface Parts {
  readonly scheme: string;
  /** With its `@`; empty: there is none. */
  readonly login: string;
  readonly host: string;
  readonly path: string;
  /** Query and fragment. */
  readonly rest: string;
}

function partsOf(address: string): Parts {
  const [scheme = ''] = /^[a-z][a-z0-9+.-]{0,30}:\/\//i.exec(address) ?? [];
  const body = address.slice(scheme.length);
  // A password that is not percent-encoded may cut the address in two.
  const login =
    scheme === ''
      ? ''
      : ((/^[^/?#]*@/.exec(body) ?? /^[^/?#@:[]*:(?!\d{1,5}(?:[,/?#]|$)|\$\{)[^@]*@/.exec(body))?.[0] ?? '');
  const [, host = '', path = '', rest = ''] = /^([^/?#]*)([^?#]*)(.*)$/s.exec(body.slice(login.length)) ?? [];
  return { scheme, login, host, path, rest };
}

/** Login data `user:password@`, of which an empty part stays empty. */
export function hideLogin(login: string, hide: Hide): string {
  const [, user = '', password = ''] = /^([^:]*):?(.*)@$/s.exec(login) ?? [];
  const isKept = (part: string): boolean => part === '' || isReference(part);
  const name = isKept(user) ? user : hide('USER', 'the user name');
  const word = isKept(password) ? password : hide('PASSWORD', 'the percent-encoded password');
  const info = `${name}${word === '' ? '' : `:${word}`}`;
  return info === '' ? '' : `${info}@`;
}

/** An address without login data. */
export function withoutLogin(address: string): string {
  const { scheme, login } = partsOf(address);
  return `${scheme}${address.slice(scheme.length + login.length)}`;
}

/** Hosts whose whole paths are secret: who knows one can send to it. */
const HOOK_HOST =
  /(?:^|\.)(?:hooks?|webhooks?)\.|^(?:hc-ping\.com|cronitor\.link|maker\.ifttt\.com|[\w-]+\.webhook\.office\.com)(?::|$)/i;

/** An address with what is secret in it hidden. */
export function hideInAddress(address: string, hide: Hide): string {
  const { scheme, login, host, path, rest } = partsOf(address);
  return [
    scheme,
    hideLogin(login, hide),
    host,
    HOOK_HOST.test(host) && path.length > 1 && !isReference(path)
      ? `/${hide('PATH', 'what stands behind the host')}`
      : hideInPath(path, hide),
    hideInQuery(rest, hide),
  ].join('');
}

/** What stands behind `/webhooks/` where it is none. */
const PLAIN_STEPS = /^(?:(?:health|healthz|info|live|ping|ready|status|test|version|v\d)\/?){1,3}$/i;

function hideInPath(path: string, hide: Hide): string {
  const steps = path.split('/');
  const hook = steps.findIndex((step) => /hook/i.test(step));
  const behind = hook < 0 ? '' : steps.slice(hook + 1).join('/');
  const isHook = behind !== '' && !PLAIN_STEPS.test(behind) && !isReference(behind);
  const kept = isHook ? steps.slice(0, hook + 1) : steps;
  let found = 0;
  const part = (what: string): string => {
    found += 1;
    return hide(found === 1 ? 'PATH' : `PATH_${found}`, what);
  };
  const hidden = kept.map((step, index) => {
    if (step === '' || isReference(step)) return step;
    const [, bot] = /^(bot)\d+(?::|%3a)./i.exec(step) ?? [];
    if (bot !== undefined) return `${bot}${part(`what stands behind /${bot}`)}`;
    const before = kept[index - 1] ?? '';
    const isNamed = !/^(?:auth|code|k)$/i.test(before) && isSecretName(before) && /\d|[A-Z]|.{16}/.test(step);
    if (isNamed) return part(`what stands behind /${before}`);
    return looksSecret(step) ? part('a part of the path') : step;
  });
  if (isHook) hidden.push(part(`what stands behind /${steps[hook] ?? ''}/`));
  return hidden.join('/');
}

function hideInQuery(rest: string, hide: Hide): string {
  const counts = new Map<string, number>();
  return rest.replace(
    /([?&;#])([^=&;#]{1,200})(?:=([^&;#]*))?/g,
    (found, before: string, name: string, value?: string) => {
      if (value === undefined)
        return looksSecret(name) && !isReference(name)
          ? `${before}${hide('QUERY', 'what stands behind the question mark')}`
          : found;
      if (value === '' || isReference(value) || !(isSecretName(name) || looksSecret(value))) return found;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const which = count === 1 ? name : `${name} (number ${count})`;
      return `${before}${name}=${hide(name, `the parameter ${which}, percent-encoded,`)}`;
    },
  );
}

/** Whether an address, or any text, has something secret in it. */
export function hasSecret(text: string): boolean {
  let isFound = looksSecret(text);
  for (const word of text.split(/\s+/))
    hideInAddress(word, () => {
      isFound = true;
      return '';
    });
  return isFound;
}

/** A text in which dots stand in the places of secrets in addresses. */
export function withoutAddressSecrets(text: string): string {
  return text.replace(/[^\s()<>"']+/g, (word) => (/[/?]/.test(word) ? hideInAddress(word, () => '…') : word));
}

/** Tokens by how their services begin them. */
const KNOWN_TOKEN =
  /(?<![A-Za-z0-9])(?:(?:gh[opsur]_|github_pat_|glpat-|xox[a-z]-|xapp-|[prs]k_(?:live|test)_|whsec_|npm_|pypi-|dop_v1_|hf_|hvs\.|shp(?:at|ss|ca|pa)_|lin_api_|dckr_pat_|ATATT|SG\.|ya29\.|eyJ)[\w.~+/=-]{6,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|AIza[\w-]{20,}|sk-[\w-]{16,}|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*)/g;

/** The name of a host, in which letters and digits change places as they like. */
const HOST = /^(?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,24}$/;

/** Passwords, of which people write the name and the word behind it. */
const PASSWORD_NAME = /(?:^|[^a-z])(?:pw|pwd|passwd|password|passwort|kennwort|passphrase|pin|otp|bearer)$/i;

/** Names that titles begin with as well, where a plain word follows: `Auth: Europe`. */
const TITLE_NAME = /^(?:auth|session|cookie|code|k)$/i;

/** A name with what stands between it and its value: a sign, or white space alone. */
const NAME_AND_SIGN =
  /(?<![\p{L}\p{N}_.@%-]|:\/\/)([\p{L}\p{N}_.-]{1,64})(?:(["'`*)\]]{0,3}\s{0,3}(?:[:=]{1,2}>?|[-=]>|→)\s{0,9})|\s{1,9}(?:[-–—]\s{1,9})?)/gu;
const VALUE =
  /(?:(?:is|was|bearer|basic|digest|token)\s{1,9}){0,2}(?:"[^"]{1,1000}"|'[^']{1,1000}'|`[^`]{1,1000}`|\S+)/iy;
const PARAMETER_VALUE = /[^\s&;#]+/y;
const PORT = /\d{1,5}(?=[/?#,\s]|$)/y;
const VARIABLE = /\$\{\w|\uE000/y;

/** @param isProse whether any word behind the name of a password is one: in a title, `Password reset` is none */
function hideNamed(text: string, isProse: boolean): string {
  let [result, from, wordsSincePassword] = ['', 0, Infinity];
  for (const found of text.matchAll(NAME_AND_SIGN)) {
    const [all, name = '', sign] = found;
    const at = found.index + all.length;
    if (found.index < from) continue;
    const isPassword = PASSWORD_NAME.test(name);
    wordsSincePassword = isPassword ? 0 : wordsSincePassword + 1;
    const isNamed = isSecretName(name) || isSecretName(name.replace(/s$/i, ''));
    // `password of the admin: x`
    const isMeant = isNamed || (isProse && sign !== undefined && wordsSincePassword <= 3);
    // What is kept is not read to its end, since each name before it would do so.
    const stands = (pattern: RegExp): boolean => {
      pattern.lastIndex = at;
      return pattern.test(text);
    };
    const isPort = sign === ':' && !isPassword && stands(PORT);
    if (!isMeant || isPort || stands(VARIABLE)) continue;
    const pattern = /[?&;#]/.test(text[found.index - 1] ?? '') ? PARAMETER_VALUE : VALUE;
    pattern.lastIndex = at;
    const value = (pattern.exec(text)?.[0] ?? '').replace(/[,;.)\]}]{1,9}$/, '');
    const isMixed = /\d/.test(value) && (isPassword || (/\p{L}/u.test(value) && value.length >= 6));
    const isBehind =
      sign !== undefined || isMixed || (isPassword && (isProse || /[^\p{L}\s.-]/u.test(value)));
    // `password of the admin`: what is meant may come behind a sign.
    const isFiller = sign === undefined && /^(?:of|for|to|the|from|and|or|in|on|at)$/i.test(value);
    const isTitle = !isProse && TITLE_NAME.test(name) && /:\s/.test(all) && /^\p{L}+$/u.test(value);
    if (value === '' || isFiller || isTitle || !isBehind) continue;
    result += `${text.slice(from, at)}…`;
    from = at + value.length;
    wordsSincePassword = Infinity;
  }
  return result + text.slice(from);
}

/**
 * A text for people, in which dots stand in the places of what is secret: values behind a name that says so, parts of
 * addresses, and words that look like tokens.
 * @param isProse whether it is a description, and no title
 */
export function withoutSecrets(text: string, { isProse = false } = {}): string {
  return withoutAddressSecrets(hideNamed(text, isProse).replace(KNOWN_TOKEN, '…')).replace(
    /(?<![\w~+.-]|\$\{|\uE000)[\w~+.-]{16,}/g,
    (run) => (looksSecret(run) && !HOST.test(run) ? '…' : run),
  );
}

/** JSON in which the texts of lists are hidden whose names say that they are secret. */
function hideInLists(json: string, secret: Hide): string {
  return json.replace(
    /("([^"\\]{1,64})"\s{0,9}:\s{0,9}\[)((?:[^"[\]{}]|"(?:[^"\\]|\\.)*")*)(?=\])/g,
    (found, before: string, name: string, items: string) =>
      PLAIN_MEMBER.test(name) || !isSecretName(name.replace(/s$/, ''))
        ? found
        : `${before}${items.replace(/"((?:[^"\\]|\\.)*)"/g, (item, text: string) =>
            text === '' || isReference(text)
              ? item
              : `"${secret(name, `a text in the list ${name}, escaped as in JSON`)}"`,
          )}`,
  );
}

/** A body of JSON, of a form, of XML or of any text, with what is secret in it hidden. */
export function hideInBody(body: string, hide: Hide): string {
  const isKept = (name: string, value: string): boolean =>
    value === '' ||
    isReference(value) ||
    ((PLAIN_MEMBER.test(name) || !isSecretName(name)) && !hasSecret(value));
  let members = 0;
  const secret = (name: string, how: string): string => {
    members += 1;
    return hide(members === 1 ? `BODY_${name}` : `BODY_${members}_${name}`, `${how}, in the body`);
  };
  if (/^\s*[[{]/.test(body))
    return hideInLists(body, secret).replace(
      /("([^"\\]{1,64})"\s{0,9}:\s{0,9})(?:"((?:[^"\\]|\\.)*)"|(\d{4,}))/g,
      (found, before: string, name: string, text?: string, digits?: string) => {
        if (isKept(name, text ?? digits ?? '')) return found;
        const value = secret(name, `the member ${name}, escaped as in JSON`);
        return text === undefined ? `${before}${value}` : `${before}"${value}"`;
      },
    );
  if (/^[\w.[\]-]{1,64}=/.test(body))
    return body.replace(
      /(^|&)([\w.[\]-]{1,64})=([^&]+)/g,
      (found, before: string, name: string, value: string) =>
        isKept(name, value)
          ? found
          : `${before}${name}=${secret(name, `the member ${name}, percent-encoded`)}`,
    );
  const runs = new Map<string, string>();
  return body
    .replace(
      /((?<![\w.-])([\w.-]{1,64})\s{0,9}[:=][ \t]{0,9})("[^"\n]{1,1000}"|'[^'\n]{1,1000}'|[^\s"'<>][^\n"'<>]*)/g,
      (found, before: string, name: string, written: string) => {
        const [, quote = '', value = ''] = /^(["']?)(.*?)\1\s*$/s.exec(written) ?? [];
        if (!isSecretName(name) || isKept(name, value)) return found;
        return `${before}${quote}${secret(name, `what stands behind ${name}`)}${quote}`;
      },
    )
    .replace(
      /(<(?:[\w-]{1,64}:)?([\w.-]{1,64})(?:\s[^<>]{0,500})?>)([^<>]+)(?=<\/)/g,
      (found, before: string, name: string, value: string) =>
        isKept(name, value) ? found : `${before}${secret(name, `the element ${name}`)}`,
    )
    .replace(RUN, (run) => {
      if (!looksSecret(run)) return run;
      const known = runs.get(run) ?? secret('PART', `part ${runs.size + 1} that looks secret`);
      runs.set(run, known);
      return known;
    });
}

/** Lines that are sent to a server, of which those that log in are hidden. */
export function hideInDialogue(lines: string, hide: Hide): string {
  let found = 0;
  return lines.replace(
    /(\b(?:PASS|AUTH(?: PLAIN| LOGIN)?|LOGIN [^\s\\]{1,200}|IDENTIFY) )(?!TLS\b|SSL\b|PLAIN\b|LOGIN\b)([^\s\\]+)/g,
    (all, before: string, value: string) => {
      if (isReference(value)) return all;
      found += 1;
      return `${before}${hide(found === 1 ? 'QUERY' : `QUERY_${found}`, 'what logs in')}`;
    },
  );
}

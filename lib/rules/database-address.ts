/**
 * What the parameters of a database's address say about TLS. `offered`: TLS where the server has it. `verify` null: nothing
 * is said about the certificate.
 */
export interface TlsChoice {
  readonly use: 'never' | 'offered' | 'required';
  readonly verify: boolean | null;
}

const NEVER: TlsChoice = { use: 'never', verify: null };
const UNSPECIFIED: TlsChoice = { use: 'offered', verify: null };
const OFFERED: TlsChoice = { use: 'offered', verify: false };
const REQUIRED: TlsChoice = { use: 'required', verify: null };
const ENCRYPTED: TlsChoice = { use: 'required', verify: false };
const VERIFIED: TlsChoice = { use: 'required', verify: true };

/**
 * Words of libpq (`disable` to `verify-full`), of MySQL's and MariaDB's clients (`DISABLED` to `VERIFY_IDENTITY`, `trust`)
 * and of node-postgres (`no-verify`), without `-` and `_`. As in those, `require` and all before it accept any
 * certificate. `verify-ca` checks the name too.
 */
const MODES: ReadonlyMap<string, TlsChoice> = new Map([
  ['disable', NEVER],
  ['disabled', NEVER],
  ['allow', OFFERED],
  ['prefer', OFFERED],
  ['preferred', OFFERED],
  ['require', ENCRYPTED],
  ['required', ENCRYPTED],
  ['noverify', ENCRYPTED],
  ['trust', ENCRYPTED],
  ['verifyca', VERIFIED],
  ['verifyfull', VERIFIED],
  ['verifyidentity', VERIFIED],
]);

/** Of `ssl`, `useSSL` and `tls` (JDBC, node-postgres, mysql2, Go), and of Prisma's `sslaccept`. */
const SWITCHES: ReadonlyMap<string, TlsChoice> = new Map([
  ['true', REQUIRED],
  ['1', REQUIRED],
  ['false', NEVER],
  ['0', NEVER],
  ['noverify', ENCRYPTED],
  ['skipverify', ENCRYPTED],
  ['acceptinvalidcerts', ENCRYPTED],
  ['preferred', OFFERED],
  ['strict', VERIFIED],
]);
const SWITCH_NAMES: readonly string[] = ['sslaccept', 'ssl', 'usessl', 'tls'];

/** Letters and digits in lower case: `ssl-mode`, `sslMode` and `sslmode` are one. */
const folded = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');

/**
 * What an address says about TLS; null where its `sslmode` is not one. Other parameters that are not known mean nothing here:
 * clients have many of their own.
 */
export function tlsChoice(url: URL): TlsChoice | null {
  const parameters = new Map([...url.searchParams].map(([name, value]) => [folded(name), value.trim()]));
  const mode = parameters.get('sslmode');
  const found =
    mode === undefined
      ? (SWITCH_NAMES.map((name) => switchOf(parameters.get(name))).find((each) => each !== null) ??
        UNSPECIFIED)
      : MODES.get(folded(mode));
  if (found === undefined) return null;
  // libpq's word for the roots of the system, with which it verifies whatever the mode.
  return found.use !== 'never' && parameters.get('sslrootcert') === 'system' ? VERIFIED : found;
}

/** PlanetScale's and TiDB's addresses have `ssl={"rejectUnauthorized":true}`. */
function switchOf(text: string | undefined): TlsChoice | null {
  if (text === undefined || text === '') return null;
  const rejects = /"rejectUnauthorized"\s*:\s*(true|false)/.exec(text)?.[1];
  if (rejects !== undefined) return rejects === 'true' ? VERIFIED : ENCRYPTED;
  return SWITCHES.get(folded(text)) ?? REQUIRED;
}

/** Who logs in where. */
export interface Login {
  readonly user: string;
  readonly password: string;
  /** Empty: the server's default. */
  readonly database: string;
}

/** The parts of a database's address, decoded; null where one cannot be, holds a NUL, or there is no user name. */
export function loginOf({ username, password, pathname }: URL): Login | null {
  try {
    const [user = '', secret = '', database = ''] = [username, password, pathname.slice(1)].map(
      decodeURIComponent,
    );
    const isValid = user !== '' && ![user, secret, database].some((part) => part.includes('\0'));
    return isValid ? { user, password: secret, database } : null;
  } catch {
    return null;
  }
}

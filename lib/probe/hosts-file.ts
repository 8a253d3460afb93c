import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';

/** Where the system keeps names that come before DNS. */
const HOSTS_FILE =
  process.platform === 'win32' ? String.raw`C:\Windows\System32\drivers\etc\hosts` : '/etc/hosts';

/** Bytes of a hosts file that are read at most; some that block advertisers have megabytes. */
const LARGEST = 16 * 1024 * 1024;
/** A file that was looked at is not looked at again for so many ms. */
const FRESH = 5_000;

type Entries = ReadonlyMap<string, readonly string[]>;

/** The addresses that the system's hosts file has for a name, IPv4 first; the file is read again when it has changed. */
export class HostsFile {
  #entries: Entries = new Map();
  #version = '';
  #lookedAt = -Infinity;

  constructor(private readonly path = HOSTS_FILE) {}

  /** Empty where the file says nothing of the name, or cannot be read. */
  addressesOf(name: string): readonly string[] {
    this.#refresh();
    return this.#entries.get(keyOf(name)) ?? [];
  }

  #refresh(): void {
    const now = performance.now();
    if (now - this.#lookedAt < FRESH) return;
    this.#lookedAt = now;
    try {
      const { mtimeMs, size } = statSync(this.path);
      const version = `${mtimeMs} ${size}`;
      if (version === this.#version) return;
      this.#entries = size > LARGEST ? new Map() : entriesOf(readFileSync(this.path, 'latin1'));
      this.#version = version;
    } catch {
      this.#entries = new Map();
      this.#version = '';
    }
  }
}

/** Lines of an address and its names; what follows a `#` is a comment. */
function entriesOf(text: string): Entries {
  const entries = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '')
      .split(/[ \t\r]+/)
      .filter((word) => word !== '');
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const known = entries.get(keyOf(name)) ?? [];
      // IPv4 first, as DNS is asked.
      if (isIP(address) === 4) known.splice(known.filter((each) => isIP(each) === 4).length, 0, address);
      else known.push(address);
      entries.set(keyOf(name), known);
    }
  }
  return entries;
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

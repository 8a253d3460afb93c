import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pair } from './certificates.js';
import { ownFile, runAsNobody, serverFolder, startDaemon } from './daemon.js';
import { program } from './program.js';
import { freePort } from './redis.js';

export interface PostgresServer {
  readonly port: number;
  /** Reads a changed setting: `ssl = off`. */
  set(setting: string): Promise<void>;
  stop(): Promise<void>;
}

/** Users by how they log in; the password of all is `secret`. `tls` has to come with TLS; all others are not let in. */
const ACCESS = `
hostnossl all tls 127.0.0.1/32 reject
host all tls 127.0.0.1/32 scram-sha-256
host all scram 127.0.0.1/32 scram-sha-256
host all md5 127.0.0.1/32 md5
host all clear 127.0.0.1/32 password
host all trust 127.0.0.1/32 trust
`;

/** Starts a PostgreSQL server in a folder of its own, with TLS. `sql`: one statement a line, run before it starts. */
export async function startPostgres({ cert, key }: Pair, sql: string): Promise<PostgresServer> {
  const folder = serverFolder('postgres');
  const data = join(folder, 'data');
  const file = (name: string, text: string) => ownFile(folder, name, text);
  runAsNobody(program('initdb'), [
    '-D',
    data,
    '-A',
    'trust',
    '-U',
    'admin',
    '--no-sync',
    '-E',
    'UTF8',
    '--no-locale',
  ]);
  runAsNobody(program('postgres'), ['--single', '-D', data, 'postgres'], `${sql.trim()}\n`);
  const port = await freePort();
  const settings = file(
    'settings.conf',
    Object.entries({
      data_directory: data,
      hba_file: file('access.conf', ACCESS),
      ident_file: file('ident.conf', ''),
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: '',
      max_connections: 20,
      superuser_reserved_connections: 0,
      fsync: 'off',
      autovacuum: 'off',
      ssl: 'on',
      ssl_cert_file: file('server.crt', cert),
      ssl_key_file: file('server.key', key),
    })
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  );
  const daemon = await startDaemon(
    program('postgres'),
    ['-c', `config_file=${settings}`],
    'ready to accept connections',
  );
  return {
    port,
    async set(setting) {
      writeFileSync(settings, `${setting}\n`, { flag: 'a' });
      daemon.signal('SIGHUP');
      await daemon.waitFor('changed to');
    },
    stop: () => daemon.stop(),
  };
}

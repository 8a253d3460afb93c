import { join } from 'node:path';
import type { Pair } from './certificates.js';
import { ownFile, runAsNobody, serverFolder, startDaemon } from './daemon.js';
import { program } from './program.js';
import { freePort } from './redis.js';

export interface MariadbServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a MariaDB server in a folder of its own, with TLS. `sql`: one statement a line, run when it starts. */
export async function startMariadb({ cert, key }: Pair, sql: string): Promise<MariadbServer> {
  const folder = serverFolder('mariadb');
  const data = join(folder, 'data');
  runAsNobody(program('mariadb-install-db'), [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]);
  const port = await freePort();
  const daemon = await startDaemon(
    program('mariadbd'),
    [
      '--no-defaults',
      `--datadir=${data}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--socket=${join(folder, 'socket')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--ssl-cert=${ownFile(folder, 'server.crt', cert)}`,
      `--ssl-key=${ownFile(folder, 'server.key', key)}`,
      `--init-file=${ownFile(folder, 'init.sql', sql)}`,
      '--innodb-flush-log-at-trx-commit=0',
      '--skip-name-resolve',
    ],
    'ready for connections',
  );
  return { port, stop: () => daemon.stop() };
}

import { compared, isBelow } from './checks.js';
import { openField, type Field } from './checks/field.js';
import { quantile, type Table } from './table.js';

const DELAYS = [50, 200, 1_000, 4_000];
/** How often each is measured, by the number of targets that are in flight at once. */
const REPETITIONS = new Map([
  [1, 5],
  [100, 1],
  [1_000, 1],
]);
const MOST = Math.max(...REPETITIONS.keys());
const COLUMNS = ['targets', 'in flight', 'checks', 'least error', 'median', 'greatest', 'below the truth'];

type Protocol = 'http' | 'https' | 'tls' | 'tcp';

/** How far what a check reports is from what the server took: one target alone first, then many at once. */
export async function* measure(): AsyncIterable<Table> {
  // All may be under way at once.
  const field = await openField(MOST, 4 * MOST);
  try {
    const rows: (readonly string[])[] = [];
    for (const [inFlight, repetitions] of REPETITIONS) {
      for (const protocol of ['http', 'https', 'tls', 'tcp'] as const) {
        // Nothing delays a TCP connection but the system.
        for (const delay of protocol === 'tcp' ? [0] : DELAYS) {
          rows.push(await row(field, protocol, { delay, inFlight, repetitions }));
        }
      }
    }
    yield {
      title: 'Reported latency less the true one, in ms',
      note: 'The server delays its answer (TLS: its part of the handshake). Each time a fresh process checks so many targets at once.',
      columns: COLUMNS,
      rows,
    };
  } finally {
    field.close();
  }
}

async function row(
  field: Field,
  protocol: Protocol,
  { delay, inFlight, repetitions }: { delay: number; inFlight: number; repetitions: number },
): Promise<readonly string[]> {
  const isHttp = protocol === 'http' || protocol === 'https';
  const addresses = field.addresses(inFlight, protocol === 'https' || protocol === 'tls');
  const urls = isHttp ? addresses : addresses.map((address) => `${protocol}://${new URL(address).host}`);
  const manner = protocol === 'tls' ? { delay: 0, handshake: delay } : { delay };
  const errors: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    await field.be(manner);
    const outcome = await field.method('keepalive')({ urls, inFlight, ca: field.ca, nameServer: null });
    const { latencies } = await field.be({ delay: 0 });
    errors.push(...compared(addresses, outcome.latencies, latencies).errors);
  }
  return [
    protocol === 'tcp' ? 'TCP' : `${protocol.toUpperCase()}, ${delay} ms`,
    String(inFlight),
    String(errors.length),
    quantile(errors, 0).toFixed(1),
    quantile(errors, 0.5).toFixed(1),
    quantile(errors, 1).toFixed(1),
    String(errors.filter(isBelow).length),
  ];
}

import { createSocket } from 'node:dgram';
import dnsPacket, { type Answer, type Question } from 'dns-packet';
import { afterAll } from 'vitest';

export interface DnsRecord {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly SRV?: readonly { readonly name: string; readonly port: number }[];
  readonly TXT?: string;
}

/** What a name server does with a name: its addresses, an error code of DNS, or no answer at all. */
export type DnsReply = DnsRecord | 'SERVFAIL' | 'REFUSED' | 'silent';

export interface DnsServer {
  /** As createProber takes it. */
  readonly servers: readonly [string];
  /** Questions so far, as `A name`. */
  readonly questions: string[];
  /** The most that were unanswered at once. */
  readonly mostAtOnce: () => number;
}

const RCODES = { SERVFAIL: 2, REFUSED: 5 };
const NXDOMAIN = 3;

/** The records of a name that are of the type asked for. */
function answersTo({ type, name }: Question, { A = [], AAAA = [], SRV = [], TXT }: DnsRecord): Answer[] {
  const ttl = 1;
  if (type === 'SRV')
    return SRV.map(({ name: target, port }) => ({ type, name, ttl, data: { target, port } }));
  if (type === 'TXT') return TXT === undefined ? [] : [{ type, name, ttl, data: TXT }];
  if (type === 'AAAA') return AAAA.map((data) => ({ type, name, ttl, data }));
  return A.map((data) => ({ type: 'A', name, ttl, data }));
}

/**
 * A name server on loopback that ends with the test file; a name that is not in `zone` does not exist.
 * @param delay of every answer, in ms
 * @param losesFirst names whose first question goes unheard
 */
export async function serveDns(
  zone: Readonly<Record<string, DnsReply | (() => DnsReply)>>,
  delay = 0,
  losesFirst: ReadonlySet<string> = new Set(),
): Promise<DnsServer> {
  const unheard = new Set(losesFirst);
  const socket = createSocket('udp4');
  const questions: string[] = [];
  let open = 0;
  let most = 0;
  socket.on('message', (message, peer) => {
    const query = dnsPacket.decode(message);
    const question = query.questions?.[0];
    if (!question) return;
    const name = question.name.toLowerCase();
    questions.push(`${question.type} ${name}`);
    const found = zone[name];
    const reply = typeof found === 'function' ? found() : found;
    if (reply === 'silent' || unheard.delete(name)) return;
    most = Math.max(most, ++open);
    const answers = typeof reply === 'object' ? answersTo(question, reply) : [];
    const rcode = reply === undefined ? NXDOMAIN : typeof reply === 'string' ? RCODES[reply] : 0;
    const answer = dnsPacket.encode({
      type: 'response',
      id: query.id ?? 0,
      flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | rcode,
      questions: [question],
      answers,
    });
    setTimeout(() => {
      open--;
      socket.send(answer, peer.port, peer.address);
    }, delay);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  afterAll(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return {
    servers: [`127.0.0.1:${socket.address().port}`],
    questions,
    mostAtOnce: () => most,
  };
}

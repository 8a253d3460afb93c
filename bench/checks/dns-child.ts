import { createSocket } from 'node:dgram';
import dnsPacket from 'dns-packet';

/** Where it answers once it listens. */
export interface NameServer {
  readonly address: string;
}

const { HOSTS = '', DELAY = '0', ADDRESS = '127.0.0.1', PORT = '0' } = process.env;
const hosts = HOSTS.split(',');

/** `n<i>.bench.test` is the i-th host in turn, after so many ms; no name has an IPv6 address. */
const socket = createSocket('udp4');
socket.on('message', (message, { port, address }) => {
  const query = dnsPacket.decode(message);
  const [question] = query.questions ?? [];
  const number = Number(/^n(\d+)\./.exec(question?.name ?? '')?.[1]);
  const host = hosts[number % hosts.length];
  if (question === undefined) return;
  const answer = dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE,
    questions: [question],
    answers:
      question.type === 'A' && host !== undefined
        ? [{ type: 'A', name: question.name, ttl: 1, data: host }]
        : [],
  });
  setTimeout(() => socket.send(answer, port, address), Number(DELAY));
});
socket.bind(Number(PORT), ADDRESS, () => {
  process.send?.({ address: `${ADDRESS}:${socket.address().port}` } satisfies NameServer);
});

import type { IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { serveHttp } from './servers.js';

interface Schedule {
  readonly scheduleId: string;
  readonly cron: string;
  readonly destination: string;
  readonly method?: string;
  readonly isPaused?: boolean;
}

/** A message of a batch. */
export interface Message {
  readonly destination: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** QStash's schedules and batches, as far as its API is used. */
export class Qstash {
  schedules: Schedule[] = [];
  calls: { call: string; headers: IncomingHttpHeaders }[] = [];
  /** Messages that were taken, without copies by their deduplication ids. */
  messages: Message[] = [];
  /** What is answered whatever is asked. */
  refusal: { status: number; body: string } | null = null;

  private constructor(private port = 0) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends with the test file. */
  static async start(): Promise<Qstash> {
    const qstash = new Qstash();
    const { port } = await serveHttp((request, response) => {
      const { method = '', url = '', headers } = request;
      void text(request).then((sent) => {
        const { status, body } = qstash.answer(method, url, headers, sent);
        response.writeHead(status).end(body);
      });
    });
    qstash.port = port;
    return qstash;
  }

  private answer(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
    sent: string,
  ): { status: number; body: string } {
    this.calls.push({ call: `${method} ${url}`, headers });
    if (this.refusal !== null) return this.refusal;
    if (url === '/v2/batch') return { status: 200, body: JSON.stringify(this.take(sent)) };
    const name = url.replace(/^\/v2\/schedules\/?/, '');
    const [scheduleId, cron, called] = ['schedule-id', 'cron', 'method'].map((option) =>
      String(headers[`upstash-${option}`]),
    );
    switch (method) {
      case 'GET':
        return { status: 200, body: JSON.stringify(this.schedules) };
      case 'POST':
        this.schedules = [
          ...this.schedules.filter((each) => each.scheduleId !== scheduleId),
          { scheduleId: scheduleId ?? '', cron: cron ?? '', destination: name, method: called ?? '' },
        ];
        return { status: 201, body: JSON.stringify({ scheduleId }) };
      default:
        this.schedules = this.schedules.filter((each) => each.scheduleId !== name);
        return { status: 202, body: '' };
    }
  }

  private take(batch: string): object[] {
    return (JSON.parse(batch) as Message[]).map((message) => {
      const id = message.headers['Upstash-Deduplication-Id'] ?? '';
      const isCopy = this.messages.some(({ headers }) => headers['Upstash-Deduplication-Id'] === id);
      if (!isCopy) this.messages.push(message);
      return { messageId: `msg_${id}`, ...(isCopy && { deduplicated: true }) };
    });
  }

  reset(): void {
    [this.schedules, this.calls, this.messages, this.refusal] = [[], [], [], null];
  }
}

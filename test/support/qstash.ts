import type { IncomingHttpHeaders } from 'node:http';
import { serveHttp } from './servers.js';

interface Schedule {
  readonly scheduleId: string;
  readonly cron: string;
  readonly destination: string;
  readonly method?: string;
  readonly isPaused?: boolean;
}

/** QStash's schedules, as far as its API is used. */
export class Qstash {
  schedules: Schedule[] = [];
  calls: { call: string; headers: IncomingHttpHeaders }[] = [];
  /** What is answered whatever is asked. */
  refusal: { status: number; body: string } | null = null;

  private constructor(private port = 0) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends with the test file. */
  static async start(): Promise<Qstash> {
    const qstash = new Qstash();
    const { port } = await serveHttp(({ method = '', url = '', headers }, response) => {
      const { status, body } = qstash.answer(method, url, headers);
      response.writeHead(status).end(body);
    });
    qstash.port = port;
    return qstash;
  }

  private answer(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
  ): { status: number; body: string } {
    this.calls.push({ call: `${method} ${url}`, headers });
    if (this.refusal !== null) return this.refusal;
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

  reset(): void {
    [this.schedules, this.calls, this.refusal] = [[], [], null];
  }
}

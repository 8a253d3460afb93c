/**
 * Hosts that put apps to sleep, as their documentation and their users describe them (docs/hosts.md has the facts), and as
 * hard on pingers as these allow. They know nothing of Keepalive's rules. Times are ms.
 */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface SimAnswer {
  /** How long it takes to come. */
  readonly takes: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A stretch in which the app did not run. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  /** `asleep`: a request wakes it. `off`: none does. */
  readonly kind: 'asleep' | 'off';
}

export interface SimHost {
  /** What is pinged, below the host's domain. */
  readonly url: string;
  /** Requests come in the order of time. */
  request(at: number): SimAnswer;
  /** What the host says to anybody who asks, as JSON; asked of one that sleeps, it is woken as its button does. */
  word?(at: number): unknown;
  /** Whether the app runs. */
  runs(at: number): boolean;
  /** Every stretch up to now, the open one with its end to come. */
  outages(now: number): readonly Outage[];
}

const ok = (headers: Record<string, string>, body = '{"status":"healthy"}', takes = 80): SimAnswer => ({
  takes,
  status: 200,
  headers,
  body,
});

/** An app that sleeps when nothing happened for a time, and takes a time to wake. */
abstract class Sleeper implements SimHost {
  abstract readonly url: string;
  private activeAt: number;
  private limit: number;
  /** Null: it runs, or will until its limit is over. */
  private wakesAt: number | null = null;
  private sleptFrom = 0;
  private readonly past: Outage[] = [];
  private offFrom: number | null = null;

  constructor(
    protected readonly start: number,
    protected readonly random: () => number,
  ) {
    this.activeAt = start;
    this.limit = 0;
  }

  protected abstract sleepsAfter(): number;
  protected abstract wakesIn(): number;
  protected abstract running(at: number): SimAnswer;
  /** @param left ms until it is awake */
  protected abstract waking(left: number): SimAnswer;
  /** While no request can wake it. */
  protected stopped(): SimAnswer {
    return this.waking(DAY);
  }
  /** Whether no request can wake it. */
  protected isOff: (at: number) => boolean = () => false;
  /** Whether a request counts as activity. */
  protected counts(): boolean {
    return true;
  }
  /** Whether a request wakes it. */
  protected wakes(): boolean {
    return true;
  }
  /** Called for each stretch of running, as it ends or goes on. */
  protected ran: (from: number, to: number) => void = () => undefined;

  private settle(at: number): void {
    if (this.limit === 0) this.limit = this.sleepsAfter();
    const off = this.isOff(at);
    if (off && this.offFrom === null) {
      this.close(at);
      this.offFrom = at;
    } else if (!off && this.offFrom !== null) {
      this.past.push({ from: this.offFrom, to: at, kind: 'off' });
      this.offFrom = null;
      this.sleptFrom = at;
      this.wakesAt = Infinity;
    }
    if (this.offFrom !== null) return;
    if (this.wakesAt !== null && at >= this.wakesAt) {
      this.past.push({ from: this.sleptFrom, to: this.wakesAt, kind: 'asleep' });
      this.activeAt = this.wakesAt;
      this.wakesAt = null;
    }
    if (this.wakesAt === null && at - this.activeAt > this.limit) {
      this.ran(this.activeAt, this.activeAt + this.limit);
      this.sleptFrom = this.activeAt + this.limit;
      this.wakesAt = Infinity;
    }
  }

  private close(at: number): void {
    if (this.wakesAt !== null) this.past.push({ from: this.sleptFrom, to: at, kind: 'asleep' });
    this.wakesAt = null;
  }

  request(at: number): SimAnswer {
    this.settle(at);
    if (this.offFrom !== null) return this.stopped();
    if (this.wakesAt === null) {
      if (this.counts()) {
        this.ran(this.activeAt, at);
        this.activeAt = at;
        this.limit = this.sleepsAfter();
      }
      return this.running(at);
    }
    if (this.wakesAt === Infinity && this.wakes()) this.wakesAt = at + this.wakesIn();
    return this.waking(this.wakesAt - at);
  }

  /** A visitor, or the owner with a button. */
  protected wakeBy(at: number): void {
    this.settle(at);
    if (this.offFrom === null && this.wakesAt === Infinity) this.wakesAt = at + this.wakesIn();
    else if (this.wakesAt === null) this.activeAt = at;
  }

  protected stateBy(at: number): 'running' | 'asleep' | 'waking' | 'off' {
    this.settle(at);
    if (this.offFrom !== null) return 'off';
    if (this.wakesAt === null) return 'running';
    return this.wakesAt === Infinity ? 'asleep' : 'waking';
  }

  runs(at: number): boolean {
    this.settle(at);
    return this.offFrom === null && this.wakesAt === null;
  }

  outages(now: number): readonly Outage[] {
    this.settle(now);
    if (this.offFrom !== null) return [...this.past, { from: this.offFrom, to: Infinity, kind: 'off' }];
    if (this.wakesAt !== null)
      return [...this.past, { from: this.sleptFrom, to: this.wakesAt, kind: 'asleep' }];
    return this.past;
  }

  protected between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  protected dayOf(at: number): number {
    return (at - this.start) / DAY;
  }
}

/** 750 hours a workspace, of which another service uses a third. Suspended by its owner at noon of day 12, for a day. */
class Render extends Sleeper {
  readonly url: string = 'https://shop.onrender.com/health';
  private used = 0;
  protected sleepsAfter = () => 15 * MINUTE;
  protected wakesIn = () => this.between(20 * SECOND, 100 * SECOND);
  protected override ran = (from: number, to: number): void => {
    this.used += to - from;
  };
  private isByOwner(at: number): boolean {
    return this.dayOf(at) >= 12.5 && this.dayOf(at) < 13.5;
  }
  protected override isOff = (at: number): boolean => {
    return this.isByOwner(at) || this.used + (at - this.start) / 3 > 750 * HOUR;
  };
  protected running(at: number): SimAnswer {
    // For two days the edge's next version leaves out its header.
    const isNew = this.dayOf(at) >= 5 && this.dayOf(at) < 7;
    return ok({ server: 'cloudflare', ...(isNew ? {} : { 'x-render-origin-server': 'uvicorn' }) });
  }
  protected waking(left: number): SimAnswer {
    const gaveUp = this.random() < 0.3;
    return {
      takes: gaveUp ? 5 * SECOND : left,
      status: gaveUp ? 503 : 200,
      headers: gaveUp
        ? { 'x-render-routing': this.random() < 0.5 ? 'hibernate-wake-error' : 'dynamic-hibernate-error-503' }
        : { 'x-render-origin-server': 'uvicorn' },
      body: '',
    };
  }
  protected override stopped(): SimAnswer {
    return { takes: 60, status: 503, headers: { 'x-render-routing': 'suspend' }, body: 'Service Suspended' };
  }
}

/** Its edge answers robots.txt, and wakes nobody for it. */
class RenderRobots extends Render {
  override readonly url = 'https://shop.onrender.com/robots.txt';
  protected override counts = () => false;
  protected override wakes = () => false;
  override request(at: number): SimAnswer {
    super.request(at);
    return ok({ server: 'cloudflare' }, 'User-agent: *\nDisallow: /', 20);
  }
}

/** Sleeps after 5 to 10 minutes. $1 of credit lasts for 10 days of running, then it is gone. */
class Railway extends Sleeper {
  readonly url = 'https://api.up.railway.app/health';
  private used = 0;
  protected sleepsAfter = () => this.between(5 * MINUTE + SECOND, 10 * MINUTE);
  protected wakesIn = () => this.between(1 * SECOND, 10 * SECOND);
  protected override ran = (from: number, to: number): void => {
    this.used += to - from;
  };
  protected override isOff = () => this.used > 10 * DAY;
  protected running(at: number): SimAnswer {
    const edge = { server: 'railway-edge', 'x-railway-edge': 'railway/us-west2' };
    return ok(this.dayOf(at) >= 3 && this.dayOf(at) < 4 ? { server: 'railway-next' } : edge);
  }
  protected waking(): SimAnswer {
    const isNotFound = this.random() < 0.5;
    return {
      takes: 50,
      status: isNotFound ? 404 : 502,
      headers: { 'x-railway-fallback': 'true', 'x-railway-edge': 'railway/us-west2' },
      body: isNotFound ? '{"message":"Application not found"}' : 'Application failed to respond',
    };
  }
  protected override stopped(): SimAnswer {
    return {
      takes: 50,
      status: 404,
      headers: { 'x-railway-fallback': 'true', 'x-railway-edge': 'railway/us-west2' },
      body: '{"message":"Application not found"}',
    };
  }
}

class Koyeb extends Sleeper {
  readonly url = 'https://web.koyeb.app/';
  protected sleepsAfter = () => HOUR;
  protected wakesIn = () => this.between(1 * SECOND, 5 * SECOND);
  protected running = () => ok({ server: 'istio-envoy', 'x-envoy-upstream-service-time': '4' });
  /** The request waits. */
  protected waking = (left: number) =>
    ok({ server: 'istio-envoy', 'x-envoy-upstream-service-time': String(Math.round(left)) }, 'healthy', left);
}

class Heroku extends Sleeper {
  readonly url = 'https://old.herokuapp.com/';
  protected sleepsAfter = () => 30 * MINUTE;
  protected wakesIn = () => this.between(3 * SECOND, 10 * SECOND);
  protected running = () => ok({ server: 'Heroku' });
  protected waking = (left: number) => ok({ server: 'Heroku' }, 'healthy', left);
}

/** The proxy stops an idle machine every few minutes, and starts it within a second. */
class Fly extends Sleeper {
  readonly url = 'https://edge.fly.dev/';
  protected sleepsAfter = () => this.between(4 * MINUTE, 8 * MINUTE);
  protected wakesIn = () => this.between(300, 2 * SECOND);
  protected running = () => ok({ 'fly-request-id': '01J' });
  protected waking = (left: number) =>
    this.random() < 0.2 ? { ...ok({}), status: 502 } : ok({ 'fly-request-id': '01J' }, 'healthy', left);
}

/** Paused by its owner on day 20. */
class HuggingFace extends Sleeper {
  readonly url = 'https://me-model.hf.space/';
  protected sleepsAfter = () => 48 * HOUR;
  protected wakesIn = () => this.between(30 * SECOND, 5 * MINUTE);
  protected override isOff = (at: number) => this.dayOf(at) >= 20;
  protected running = () => ok({ 'x-proxied-host': 'http://10.0.0.1', 'x-proxied-replica': 'abc' });
  protected waking = () => ({ takes: 90, status: 503, headers: {}, body: 'Your space is starting' });
  protected override stopped = () => ({ takes: 90, status: 503, headers: {}, body: 'This Space is paused' });
  word(at: number): unknown {
    const state = this.stateBy(at);
    const stages = { running: 'RUNNING', asleep: 'SLEEPING', waking: 'APP_STARTING', off: 'PAUSED' };
    return { runtime: { stage: stages[state] } };
  }
}

/** A visitor opens it at about nine every other morning; nothing else counts, and a wake takes up to 14 minutes. */
abstract class Streamlit extends Sleeper {
  private visited = 0;
  protected sleepsAfter = () => 12 * HOUR;
  protected wakesIn = () => this.between(MINUTE, 14 * MINUTE);
  protected override counts = () => false;
  protected override wakes = () => false;
  override request(at: number): SimAnswer {
    const day = Math.floor(this.dayOf(at) - 9 / 24);
    if (day > this.visited && day % 2 === 0) {
      this.visited = day;
      this.wakeBy(at);
    }
    return super.request(at);
  }
}

/** Its state can be asked for, and a POST wakes it. */
class StreamlitWord extends Streamlit {
  readonly url = 'https://word.streamlit.app/';
  private readonly shell = ok({ server: 'istio-envoy' }, '<title>Streamlit</title>', 40);
  protected running = () => this.shell;
  protected waking = () => this.shell;
  word(at: number): unknown {
    const state = this.stateBy(at);
    if (state === 'asleep') this.wakeBy(at + 1);
    return { status: { running: 5, asleep: 12, waking: 1, off: 13 }[state] };
  }
}

/** The shell is the same whether the app runs or not. */
class StreamlitShell extends Streamlit {
  readonly url = 'https://chart.streamlit.app/';
  private readonly shell = ok({ server: 'istio-envoy' }, '<title>Streamlit</title><div id="root"></div>', 40);
  protected running = () => this.shell;
  protected waking = () => this.shell;
}

class StreamlitContainer extends Streamlit {
  readonly url = 'https://chart.streamlit.app/~/+/_stcore/health';
  protected running = () => ok({}, 'ok');
  protected waking = () => ({ takes: 40, status: 400, headers: {}, body: '' });
}

/** Paused on day 12 in spite of its queries; its owner restores it two days later. */
class Supabase extends Sleeper {
  readonly url: string = 'https://abcd.supabase.co/rest/v1/todos?select=id&limit=1';
  protected sleepsAfter = () => 7 * DAY;
  protected wakesIn = () => 0;
  protected override isOff = (at: number) => this.dayOf(at) >= 12 && this.dayOf(at) < 14;
  protected running = () => ok({ 'content-type': 'application/json' }, '[{"id":1,"text":"healthy"}]');
  protected waking = () => this.stopped();
  protected override stopped(): SimAnswer {
    return { takes: 150, status: 540, headers: {}, body: 'Project paused' };
  }
}

/** Without a key the gateway answers, over a living database as over a dead one. */
class SupabaseGateway extends Supabase {
  override readonly url = 'https://abcd.supabase.co/rest/v1/';
  private readonly gateway = { ...ok({}), takes: 150, status: 401, body: '{"message":"No API key found"}' };
  protected override counts = () => false;
  protected override running = () => this.gateway;
  protected override stopped = () => this.gateway;
}

/** 60 CPU minutes a day, of which a start costs 2 and an hour of running 2. */
class Azure extends Sleeper {
  readonly url = 'https://app.azurewebsites.net/';
  private day = -1;
  private spent = 0;
  protected sleepsAfter = () => 20 * MINUTE;
  protected wakesIn(): number {
    this.spent += 2 * MINUTE;
    return this.between(2 * SECOND, 30 * SECOND);
  }
  protected override ran = (from: number, to: number): void => {
    this.spent += (to - from) / 20;
  };
  protected override isOff = (at: number): boolean => {
    if (Math.floor(this.dayOf(at)) !== this.day) {
      this.day = Math.floor(this.dayOf(at));
      this.spent = 0;
    }
    return this.spent > 60 * MINUTE;
  };
  protected running = () => ok({ server: 'Microsoft-IIS/10.0' });
  protected waking = (left: number) => ok({ server: 'Microsoft-IIS/10.0' }, 'healthy', left);
  protected override stopped = () => ({
    takes: 30,
    status: 403,
    headers: {},
    body: '<h1>Error 403 - This web app is stopped.</h1>',
  });
}

export const SIMULATORS: Readonly<Record<string, new (start: number, random: () => number) => SimHost>> = {
  render: Render,
  'render, robots.txt': RenderRobots,
  railway: Railway,
  koyeb: Koyeb,
  heroku: Heroku,
  fly: Fly,
  huggingface: HuggingFace,
  'streamlit, shell': StreamlitShell,
  'streamlit, its word': StreamlitWord,
  'streamlit, container': StreamlitContainer,
  supabase: Supabase,
  'supabase, gateway': SupabaseGateway,
  azure: Azure,
};

/** When runs come, from `start` on, ascending. */
export const TRIGGERS: Readonly<
  Record<string, (start: number, end: number, random: () => number) => number[]>
> = {
  'every 2 minutes': (start, end, random) => {
    const times: number[] = [];
    for (let at = start; at < end; at += 2 * MINUTE) times.push(at + random() * 3 * SECOND);
    return times;
  },
  /** Four crons in each hour, each once a day at some minute of its hour. */
  '96 a day': (start, end, random) => {
    const times: number[] = [];
    for (let hour = start; hour < end; hour += HOUR) {
      for (let i = 0; i < 4; i += 1)
        times.push(hour + Math.floor(random() * 60) * MINUTE + random() * SECOND);
    }
    return times.sort((a, b) => a - b);
  },
  /** Every 10 minutes, late by minutes, and by hours when it is busy. */
  GitHub: (start, end, random) => {
    const times: number[] = [];
    for (let at = start; at < end; at += 10 * MINUTE + random() * 15 * MINUTE) {
      if (random() < 0.03) at += random() * 3 * HOUR;
      if (at < end) times.push(at);
    }
    return times;
  },
  'once a day': (start, end, random) => {
    const times: number[] = [];
    for (let day = start; day < end; day += DAY) times.push(day + random() * HOUR);
    return times;
  },
};

import { calledAs } from '../called-as.js';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig, textsOf } from '../config/config.js';
import { DOTENV_FILE, readDotenv } from '../config/env.js';
import { idFromHost, targetAt } from '../config/target-builder.js';
import type { TargetsFile } from '../config/targets-file.js';
import { loadTargets } from '../config/targets-source.js';
import { validConfig, type Env } from '../config/valid.js';
import { OperatorError } from '../operator-error.js';
import { checkTarget } from '../probe/check-target.js';
import { createProber } from '../probe/probe.js';
import { intervalInWords, latencyInWords, lengthInWords } from '../rules/durations.js';
import type { Target } from '../types.js';
import { COMMANDS } from './commands.js';
import { promptingConversation, silentConversation, type Conversation } from './conversation.js';
import { withVariables, type Variable } from './dotenv-text.js';
import type { Terminal } from './terminal.js';
import { readArguments } from './usage.js';
import { isVercelReady, setVercelVariable } from './vercel-command.js';

interface InitSettings {
  readonly env: Env;
  readonly file: TargetsFile | null;
}

const PLACEHOLDER = 'https://my-api.onrender.com/health';
const HEADING = '# Written by keepalive init.';

/**
 * `keepalive init`: asks for addresses, checks each once, makes the secret, and adds both to `.env`. Nothing that is set
 * already is changed, and no secret is shown.
 * @returns the exit code
 * @throws UsageError ConfigError; OperatorError where there is no terminal, or the user has cancelled
 */
export async function init(args: readonly string[], terminal: Terminal): Promise<number> {
  const { words, has } = readArguments('init', COMMANDS.init, args);
  const isSilent = has('yes');
  if (!isSilent && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new OperatorError(
      `keepalive init asks questions, and needs a terminal for that. Without one: ${calledAs()} init --yes <url>`,
    );
  }
  const { env } = terminal;
  const { targets, port } = await validConfig(env);
  if (isSilent && words.length === 0 && targets.length === 0) {
    throw new OperatorError(
      `No target is configured, and no address was given: ${calledAs()} init --yes <url>`,
    );
  }
  const given = words.map((word, index) => {
    const target = targetOf(word);
    if (typeof target === 'string') throw new OperatorError(`Address ${index + 1}: ${target}.`);
    return target;
  });
  const conversation = isSilent ? silentConversation(terminal) : await promptingConversation();
  conversation.begin('Keepalive');
  const added = await chosenTargets({ env, file: await loadTargets(env), given, conversation, isSilent });
  const variables = [...added, ...secretFor(env)];
  if (variables.length === 0) {
    conversation.end(`Everything is set already. ${nextStep(port)}`);
    return 0;
  }
  const names = variables.map(([name]) => name).join(', ');
  if (!(await conversation.confirm(question(names)))) throw new OperatorError('Nothing was written.');
  write(variables);
  conversation.say(`${DOTENV_FILE} has ${names} now. Only you can read it.`);
  await offerVercel({ ...env, ...Object.fromEntries(variables) }, { conversation, isSilent });
  conversation.end(nextStep(port));
  return 0;
}

function question(names: string): string {
  return existsSync(DOTENV_FILE)
    ? `Add ${names} to ${DOTENV_FILE}? Its other lines stay as they are.`
    : `Write ${names} to ${DOTENV_FILE}?`;
}

/** The variables of the targets that the user gave. */
async function chosenTargets({
  env,
  file,
  given,
  conversation,
  isSilent,
}: InitSettings & {
  readonly given: readonly { readonly target: Target; readonly address: string }[];
  readonly conversation: Conversation;
  readonly isSilent: boolean;
}): Promise<Variable[]> {
  const variables: Variable[] = [];
  const add = async ({ target, address }: { target: Target; address: string }): Promise<void> => {
    const known = { env: { ...env, ...Object.fromEntries(variables) }, file };
    const existing = targetWith(known, target.url);
    if (existing !== undefined) {
      conversation.say(`${target.info.healthUrl} is a target already: ${existing.info.id}.`);
      return;
    }
    await tryOnce(target, conversation);
    conversation.say(hostInWords(target));
    variables.push([variableFor(target, address, known), address]);
  };
  for (const each of given) await add(each);
  while (!isSilent) {
    const isFirst = variables.length === 0 && targetsOf({ env, file }).length === 0;
    const answer = await conversation.ask(
      isFirst ? 'Which address is to be pinged?' : 'Another address? (Enter goes on)',
      {
        placeholder: isFirst ? PLACEHOLDER : '',
        problemOf: (text) => {
          if (text === '') return isFirst ? 'An address is needed.' : undefined;
          const target = targetOf(text);
          return typeof target === 'string' ? target : undefined;
        },
      },
    );
    const target = answer === '' ? '' : targetOf(answer);
    if (typeof target === 'string') break;
    await add(target);
  }
  return variables;
}

/** The target at an address, which may come without `https://`; or what is wrong with it. */
function targetOf(text: string): { target: Target; address: string } | string {
  const address = text.includes('://') ? text : `https://${text}`;
  const { target, problem } = targetAt(address);
  return target === null || problem !== null ? (problem ?? 'not valid') : { target, address };
}

function targetsOf({ env, file }: InitSettings): readonly Target[] {
  const result = parseConfig(env, file);
  return result.ok ? result.config.targets : [];
}

function targetWith(settings: InitSettings, url: string): Target | undefined {
  return targetsOf(settings).find((target) => target.url === url);
}

/** One real check, as a run makes it. A target that is down now may be wanted all the same. */
async function tryOnce(target: Target, conversation: Conversation): Promise<void> {
  const { healthUrl } = target.info;
  const prober = createProber();
  try {
    await conversation.waiting(`Checking ${healthUrl}`, async (update) => {
      const check = await checkTarget(target, {
        at: Date.now(),
        prober,
        signal: new AbortController().signal,
        now: Date.now,
        random: Math.random,
        sleep: (ms) => delay(ms),
        onWaking: () =>
          update(`${healthUrl} may be asleep: it has ${intervalInWords(target.wakeTimeout)} to wake`),
      });
      if (check === null) throw new Error('a check without a time limit was cut short');
      const { outcome, message, latency, wakeMs } = check;
      if (outcome === 'failed') {
        const text = `${healthUrl} failed: ${message}. It is added all the same.`;
        return { text, isGood: false };
      }
      const woke = wakeMs === null ? '' : `, after it woke in ${lengthInWords(wakeMs)}`;
      const why = message === null ? '' : ` (${message})`;
      return { text: `${healthUrl} is ${outcome}${why}: ${latencyInWords(latency)}${woke}`, isGood: true };
    });
  } finally {
    await prober.close();
  }
}

/** What is known of the host, for a person. */
export function hostInWords({ info: { host, sleepsAfter, interval } }: Target): string {
  const pinged = `pinged every ${intervalInWords(interval)}`;
  if (host === 'none') return `No host that sleeps: ${pinged}.`;
  return sleepsAfter === null
    ? `Host: ${host}, ${pinged}.`
    : `Host: ${host}, which sleeps after ${intervalInWords(sleepsAfter)} without a request: ${pinged}.`;
}

/** `TARGET_MY_API_URL`, by the first part of the host name, or by all of it where that is taken. */
function variableFor({ url }: Target, address: string, { env, file }: InitSettings): string {
  const { hostname } = new URL(url);
  const isAddress = /^[\d.]+$|:/.test(hostname);
  const inName = (host: string): string => idFromHost(host).replaceAll('-', '_');
  const whole = inName(hostname);
  const label = hostname.replace(/^www\./, '').replace(/\..*$/, '');
  const names = isAddress ? [whole] : [inName(label), whole];
  const numbered = Array.from({ length: 500 }, (_, index) => `${whole}_${index + 2}`);
  const fits = (variable: string): boolean =>
    !textsOf(env).has(variable) &&
    targetWith({ env: { ...env, [variable]: address }, file }, url) !== undefined;
  const variable = [...names, ...numbered].map((name) => `TARGET_${name.toUpperCase()}_URL`).find(fits);
  if (variable === undefined) throw new OperatorError('The targets have no room for another address.');
  return variable;
}

function secretFor(env: Env): Variable[] {
  return textsOf(env).has('CRON_SECRET') ? [] : [['CRON_SECRET', randomBytes(32).toString('hex')]];
}

/** Adds to the file as it is now. It holds a secret, so it is for its owner alone. */
function write(variables: readonly Variable[]): void {
  const before = readDotenv();
  const text = before === null ? `${HEADING}\n` : readFileSync(DOTENV_FILE, 'utf8');
  try {
    writeFileSync(DOTENV_FILE, withVariables(text, variables), { mode: 0o600 });
    chmodSync(DOTENV_FILE, 0o600);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    throw new OperatorError(`${DOTENV_FILE} cannot be written: ${code}.`, { cause });
  }
}

/** Sets the variables of the Vercel project that this folder is linked to, where the user wants it. */
async function offerVercel(
  env: Env,
  { conversation, isSilent }: { readonly conversation: Conversation; readonly isSilent: boolean },
): Promise<void> {
  if (isSilent || !(await isVercelReady())) return;
  const texts = textsOf(env);
  const variables = [...texts].filter(
    ([name]) => name === 'CRON_SECRET' || name === 'KEEP_ALIVE_URLS' || /^TARGET_\w+_URL$/.test(name),
  );
  const names = variables.map(([name]) => name).join(', ');
  if (!(await conversation.confirm(`Set ${names} on Vercel too, for production?`))) return;
  for (const [name, text] of variables) {
    await conversation.waiting(`Setting ${name} on Vercel`, async () => {
      const isGood = await setVercelVariable(name, text);
      const result = isGood
        ? `${name} is set on Vercel.`
        : `${name} was not set: vercel env ls shows whether it is there.`;
      return { text: result, isGood };
    });
  }
  conversation.say(
    'Add the Upstash Redis integration to the project if it has no database yet, then: vercel --prod',
  );
}

/** How the user starts it, as they have started this. */
function nextStep(port: number): string {
  const name = calledAs();
  const start = name === 'npx keepalive' && existsSync('vercel.json') ? 'npm start' : `${name} start`;
  return `Next: \`${start}\` pings them, and shows http://localhost:${port}`;
}

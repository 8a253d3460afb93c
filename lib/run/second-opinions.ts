import type { Ledger } from '../record/ledger.js';
import { isOurFault, withOpinions, type FailedCheck, type Opinion } from '../rules/opinions.js';
import { inMaintenance } from '../rules/windows.js';
import type { CheckOrOpen, Target } from '../types.js';
import type { RunContext } from './run-context.js';

/**
 * What peers say in one run. A failed check that would bring its target nearer to `down` is put to them once a run and
 * target; what they say holds for the target's further failures in the run.
 */
export class SecondOpinions {
  private readonly asked = new Map<string, Promise<readonly Opinion[]>>();
  private readonly heard: (readonly Opinion[])[] = [];

  /** @param mayAskUntil ms since the epoch: later, the plan allows no more waiting */
  constructor(
    private readonly context: Pick<RunContext, 'peers' | 'now'>,
    private readonly ledger: Pick<Ledger, 'targets' | 'failuresUntilDown'>,
    private readonly limit: { readonly mayAskUntil: number },
  ) {}

  /** The checks, of which a failed one may have become `degraded`. Never rejects. */
  async judge(
    target: Target,
    checks: readonly CheckOrOpen[],
    signal: AbortSignal,
  ): Promise<readonly CheckOrOpen[]> {
    const failed = checks.findLast((check): check is FailedCheck => check.outcome === 'failed');
    if (failed === undefined || !this.isWorthAsking(target, failed)) return checks;
    const opinions = await this.opinionsOf(target, signal);
    return checks.map((check) => (check.outcome === 'failed' ? withOpinions(check, opinions) : check));
  }

  /** Whether all that is known of the targets that fail here is that they are well elsewhere. */
  get showOurFault(): boolean {
    return isOurFault(this.heard);
  }

  private isWorthAsking(target: Target, { at, reason }: FailedCheck): boolean {
    const { info, confirm } = target;
    // It is the host itself that says so.
    if (!confirm || reason === 'host' || this.ledger.failuresUntilDown(target) === 0) return false;
    const { maintenance } = this.ledger.targets.get(info.id) ?? target;
    return !inMaintenance(maintenance, at);
  }

  private opinionsOf(target: Target, signal: AbortSignal): Promise<readonly Opinion[]> {
    const { id } = target.info;
    const known = this.asked.get(id);
    if (known !== undefined) return known;
    const { peers, now } = this.context;
    const asking =
      now() > this.limit.mayAskUntil || signal.aborted
        ? Promise.resolve([])
        : peers.ask(target, signal).then((opinions) => {
            this.heard.push(opinions);
            return opinions;
          });
    this.asked.set(id, asking);
    return asking;
  }
}

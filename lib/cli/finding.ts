export type Area =
  | 'configuration'
  | 'secrets'
  | 'store'
  | 'schedule'
  | 'targets'
  | 'peers'
  | 'alerts'
  | 'restarts'
  | 'hosts'
  | 'budget'
  | 'hours'
  | 'QStash';

/** One thing that the doctor has seen. Holds no value of a variable. */
export type Finding = { readonly area: Area; readonly what: string } & (
  | { readonly level: 'ok' }
  | {
      readonly level: 'warning' | 'error';
      /** Why it matters. */
      readonly why: string;
      /** What to do about it. */
      readonly todo: string;
    }
);

export const ok = (area: Area, what: string): Finding => ({ area, level: 'ok', what });

/** What is not as it should be, why it matters, and what to do about it. */
interface Defect {
  readonly what: string;
  readonly why: string;
  readonly todo: string;
}

export const warning = (area: Area, defect: Defect): Finding => ({ area, level: 'warning', ...defect });
export const error = (area: Area, defect: Defect): Finding => ({ area, level: 'error', ...defect });

import type { Config } from '../config/config.js';
import { TARGET_OPTION_NAMES } from '../config/options.js';
import { placeInWords, type Place } from '../config/problems.js';
import { generalSettings, settingsReader, type Setting } from '../config/settings.js';
import { loadTargets } from '../config/targets-source.js';
import type { Env } from '../config/valid.js';
import { table } from './table.js';
import type { Paint } from './terminal.js';

/** What is in force and where it comes from. Holds no secret. */
export interface InForce {
  readonly settings: readonly ShownSetting[];
  readonly targets: readonly { readonly id: string; readonly options: readonly ShownSetting[] }[];
}

interface ShownSetting {
  readonly name: string;
  readonly value: string;
  /** `default`, a variable, or `file:line:column`. */
  readonly from: string;
}

export async function settingsInForce(config: Config, env: Env): Promise<InForce> {
  const settingsOf = settingsReader(env, await loadTargets(env));
  return {
    settings: generalSettings(env).map(shownSetting),
    targets: config.targets.map((target) => ({
      id: target.info.id,
      options: TARGET_OPTION_NAMES.map(settingsOf(target))
        .filter((setting) => setting !== null)
        .map(shownSetting),
    })),
  };
}

function shownSetting({ name, shown, place }: Setting): ShownSetting {
  return { name, value: shown, from: fromInWords(place) };
}

function fromInWords(place: Place | null): string {
  return place === null ? 'default' : placeInWords(place);
}

/** @param isWhole whether what has its default is shown too */
export function inForceLines({ settings, targets }: InForce, isWhole: boolean, paint: Paint): string[] {
  const wanted = (rows: readonly ShownSetting[]): readonly ShownSetting[] =>
    isWhole ? rows : rows.filter(({ from }) => from !== 'default');
  const rows = [
    ...wanted(settings).map(({ name, value, from }) => ['', name, value, from]),
    ...targets.flatMap(({ id, options }) =>
      wanted(options).map(({ name, value, from }, index) => [index === 0 ? id : '', name, value, from]),
    ),
  ].map((row) => row.map((cell) => (cell.length > 60 ? `${cell.slice(0, 59)}…` : cell).replace(/\s/g, ' ')));
  if (rows.length === 0) return [];
  return [
    '',
    ...table(['target', 'setting', 'value', 'from'], rows, paint),
    ...(isWhole ? [] : ['', 'Everything else has its default: --all shows it.']),
  ];
}

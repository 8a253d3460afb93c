import type { Target } from '../types.js';
import type { Config } from './config.js';
import { targetAddress } from './target-address.js';
import { plainSource, toTarget } from './target-builder.js';

/** The control addresses as targets for which any answer is good: an answer shows that our network works. */
export function controlTargets(config: Pick<Config, 'controlUrls'>): Target[] {
  return config.controlUrls.map((url) => {
    const address = targetAddress.parse(url);
    const target = toTarget(plainSource('control', address), new Map(), []);
    return {
      ...target,
      timeout: 5_000,
      maxRedirects: 0,
      assertions: { ...target.assertions, expectStatus: [{ from: 100, to: 599 }] },
    };
  });
}

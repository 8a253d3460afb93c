import { createHmac } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../config/config.js';

/**
 * The same in all processes of an installation, and another one in every other installation: so one that asks itself, under
 * an address that it does not know to be its own, notices it. It tells nothing else.
 */
export function installationId({
  peers,
  publicUrl,
  selfUrl,
  store,
  prefix,
  port,
  isOnVercel,
}: Pick<Config, 'peers' | 'publicUrl' | 'selfUrl' | 'store' | 'prefix' | 'port' | 'isOnVercel'>):
  string | null {
  if (peers.secret === null) return null;
  // Functions have one host name each, and their deployments one address each.
  const place = isOnVercel ? (publicUrl ?? selfUrl) : [hostname(), port, process.cwd()];
  const parts = JSON.stringify([place, store, prefix]);
  return createHmac('sha256', peers.secret).update(parts).digest('base64url').slice(0, 22);
}

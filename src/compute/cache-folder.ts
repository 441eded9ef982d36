import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where files shared by all runs of this user lie: models and vectors. Everything below may be deleted at any time; it is
 * fetched or computed again. `CURATE_CACHE` names another place.
 */
export function cacheFolder(...parts: string[]): string {
  const chosen = process.env.CURATE_CACHE;
  if (chosen !== undefined && chosen !== '') return join(chosen, ...parts);
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg === undefined || xdg === '' ? join(homedir(), '.cache') : xdg, 'curate', ...parts);
}

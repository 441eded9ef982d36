import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { Problem } from '../problem.js';
import { sha256 } from './fingerprint.js';

interface Claimant {
  pid: number;
  host: string;
  /** The kernel's start time of the process: a pid that was given anew to another process is not the claimant. */
  started: string;
}

/**
 * Takes a run folder for this process, or throws a Problem naming the process that has it. A claim left by a process that
 * no longer lives is taken over. Returns what gives the folder back.
 */
export function claim(path: string): () => void {
  mkdirSync(dirname(path), { recursive: true });
  const self: Claimant = { pid: process.pid, host: hostname(), started: startTime(process.pid) };
  const release = () => rmSync(path, { force: true });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (create(path, self)) return release;
    const found = readText(path);
    if (found === null) continue;
    const holder = claimantIn(found);
    if (holder !== null && isAlive(holder)) {
      throw new Problem('another process works in this run folder', {
        where: dirname(dirname(path)),
        found: `process ${holder.pid} on ${holder.host}`,
        try: 'wait for it, stop it, or choose another folder with --out',
      });
    }
    // Of all that find it left behind, the one that claims the taking over of this very claim replaces it, if it still stands.
    const taken = claim(`${path}.${sha256(found).slice(0, 16)}`);
    try {
      if (readText(path) !== found) continue;
      replace(path, self);
      return release;
    } finally {
      taken();
    }
  }
  throw new Problem('another process works in this run folder', { where: dirname(dirname(path)), try: 'try again' });
}

/** The process that works in a run folder, or null. */
export function claimant(path: string): number | null {
  const holder = claimantIn(readText(path) ?? '');
  return holder !== null && isAlive(holder) ? holder.pid : null;
}

/** Whether the claim was made: whole, so that nobody reads a part of it, and only where there is none. */
function create(path: string, self: Claimant): boolean {
  const own = draft(path, self);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === undefined || !withoutLinks.includes(code)) throw error;
    return createInPlace(path, self);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Of file systems that know no hard links. */
const withoutLinks = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

/** The same, but that for a moment there is a claim without a name. */
function createInPlace(path: string, self: Claimant): boolean {
  try {
    writeFileSync(path, JSON.stringify(self), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** A whole claim under a name of its own beside the one that counts, by which it is then called. */
function draft(path: string, self: Claimant): string {
  const own = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  writeFileSync(own, JSON.stringify(self));
  return own;
}

function replace(path: string, self: Claimant): void {
  const own = draft(path, self);
  renameSync(own, path);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function claimantIn(text: string): Claimant | null {
  try {
    return JSON.parse(text) as Claimant;
  } catch {
    // Torn by a kill: nobody living is named in it.
    return null;
  }
}

function isAlive(holder: Claimant): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return holder.started === '' || startTime(holder.pid) === holder.started;
}

/** Field 22 of /proc/PID/stat; '' where there is no /proc. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

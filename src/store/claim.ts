import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { Problem } from '../problem.js';

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
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, JSON.stringify(self), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readClaimant(path);
    if (holder !== null && isAlive(holder)) {
      throw new Problem('another process works in this run folder', {
        where: dirname(dirname(path)),
        found: `process ${holder.pid} on ${holder.host}`,
        try: 'wait for it, stop it, or choose another folder with --out',
      });
    }
    rmSync(path, { force: true });
  }
  throw new Problem('another process works in this run folder', { where: dirname(dirname(path)), try: 'try again' });
}

/** The process that works in a run folder, or null. */
export function claimant(path: string): number | null {
  const holder = readClaimant(path);
  return holder !== null && isAlive(holder) ? holder.pid : null;
}

function readClaimant(path: string): Claimant | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Claimant;
  } catch {
    // Torn by a kill, or gone since: either way nobody living is named in it.
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

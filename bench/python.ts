import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The Python of an environment named `set`, made on the first call, with these packages installed, pinned by
 * `requirements.txt`. Rivals that want each other's packages in other versions stand in sets of their own. null where a
 * package cannot be had: the bench then leaves that rival out and says so.
 */
export function pythonWith(set: string, packages: readonly string[]): string | null {
  const venv = join(import.meta.dirname, '.cache', 'python', set);
  const chosen = process.env.CURATE_BENCH_PYTHON;
  const python = chosen ?? join(venv, 'bin', 'python');
  if (!existsSync(python)) call('python3', ['-m', 'venv', venv]);
  const wanted = packages.map((name) => name.split(/[=<>[]/)[0] ?? name);
  const check = `import importlib.metadata as m; [m.version(p) for p in ${JSON.stringify(wanted)}]`;
  if (call(python, ['-c', check], 'ignore') !== null) return python;
  const pins = join(import.meta.dirname, 'requirements.txt');
  return call(python, ['-m', 'pip', 'install', '--quiet', '-c', pins, ...packages]) === null ? null : python;
}

/** What a Python script prints on its standard output, as JSON. */
export function runPython<T>(python: string, script: string, args: readonly string[]): T {
  const printed = call(python, [join(import.meta.dirname, script), ...args]);
  if (printed === null) throw new Error(`${script} failed`);
  return JSON.parse(printed) as T;
}

// ---------------------------------------------------------------------------------------------------------------------

function call(program: string, args: readonly string[], errors: 'inherit' | 'ignore' = 'inherit'): string | null {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', errors],
  });
  return result.status === 0 ? result.stdout : null;
}

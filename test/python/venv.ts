import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { productFolder } from '../../src/product.js';
import { sha256 } from '../../src/store/fingerprint.js';

/** Where no Python is, tests that need it are skipped by name; in CI they run and fail. */
export const pythonIsMissing =
  process.env.CI === undefined && spawnSync('python3', ['-m', 'pip', '--version']).status !== 0;

/** Makes the environment where it is not there yet: for `beforeAll`, as the first time takes a minute. */
export async function preparePython(requirements = 'requirements.txt'): Promise<void> {
  if (!pythonIsMissing) await environment(join(import.meta.dirname, requirements));
}

/**
 * Runs Python code with the packages of `requirements` (a file beside this one) and returns what it printed. The
 * environment is made once, in `.cache/` of the checkout, by the machine's own pip.
 */
export async function runPython(
  code: string,
  args: readonly string[] = [],
  requirements = 'requirements.txt',
): Promise<string> {
  const python = await environment(join(import.meta.dirname, requirements));
  return run(python, ['-c', code, ...args]);
}

// ---------------------------------------------------------------------------------------------------------------------

const patience = 280_000;

/** The interpreter of the environment; another process that is making it is waited for. */
async function environment(requirements: string): Promise<string> {
  const folder = join(productFolder, '.cache', 'python', sha256(readFileSync(requirements)).slice(0, 16));
  const python = join(folder, 'bin', 'python');
  const ready = join(folder, 'ready');
  const lock = `${folder}.lock`;
  mkdirSync(join(productFolder, '.cache', 'python'), { recursive: true });
  for (let waited = 0; !existsSync(ready); waited += 250) {
    if (takeLock(lock)) {
      try {
        rmSync(folder, { recursive: true, force: true });
        // Without pip: Debian ships Python's venv and pip's wheels in packages of their own.
        run('python3', ['-m', 'venv', '--without-pip', folder]);
        run('python3', ['-m', 'pip', '--python', python, 'install', '--quiet', '-r', requirements]);
        writeFileSync(ready, '');
      } finally {
        rmSync(lock, { recursive: true, force: true });
      }
    } else if (waited > patience) {
      throw new Error(`${lock} is there, but nobody makes the environment: remove it`);
    } else {
      await setTimeout(250);
    }
  }
  return python;
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    // A process that was killed leaves its lock behind.
    if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > patience) rmSync(lock, { recursive: true });
    return false;
  }
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, HF_HUB_OFFLINE: '1', HF_DATASETS_OFFLINE: '1', HF_HUB_DISABLE_TELEMETRY: '1' },
  });
  if (result.status !== 0) {
    throw new Error(`${command} ${args[0] ?? ''} failed: ${result.error?.message ?? result.stderr.slice(-3000)}`);
  }
  return result.stdout;
}

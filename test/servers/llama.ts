import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const here = import.meta.dirname;
const execute = promisify(execFile);

/** A real llama.cpp server in a process of its own. */
export interface LlamaServer {
  url: string;
  close(): Promise<void>;
}

/** Starts the server; the first time on a machine it makes the Python environment in `.cache/` (about 40 MB). */
export async function startLlama(): Promise<LlamaServer> {
  const child = spawn(join(await environment(), 'bin', 'python'), [join(here, 'llama_server.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr.on('data', (text: Buffer) => errors.push(text.toString()));
  const url = await listening(child, errors);
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.stdin.end();
      }),
  };
}

/** The environment's folder, named by what is installed in it, so that a change of the requirements makes a new one. */
async function environment(): Promise<string> {
  const requirements = readFileSync(join(here, 'requirements.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const folder = join(here, '..', '..', '.cache', `llama-${requirements.join('-').replace(/[^a-z0-9.]+/gi, '-')}`);
  const done = join(folder, 'installed');
  if (existsSync(done)) return folder;
  const python = ['python3', 'python'].find((name) =>
    (process.env.PATH ?? '').split(':').some((path) => existsSync(join(path, name))),
  );
  if (python === undefined) throw new Error('the test of a real server needs Python 3 with venv and pip');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, '..'), { recursive: true });
  await execute(python, ['-m', 'venv', folder]);
  await execute(join(folder, 'bin', 'python'), [
    ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', ...requirements],
  ]);
  writeFileSync(`${done}.part`, requirements.join('\n'));
  renameSync(`${done}.part`, done);
  return folder;
}

function listening(child: ChildProcess, errors: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('the server has no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /^listening on (\S+)$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${errors.join('').slice(-500)}`)));
  });
}

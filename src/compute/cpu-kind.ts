import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Instruction sets that native sessions choose their kernels by. */
const instructionSets = ['avx', 'avx2', 'fma', 'avx512f', 'avx512vl', 'amx_tile'];

/** Native vectors are the same bits on CPUs of one kind, and within about 1e-6 of each other between kinds. */
export function cpuKind(): string {
  const flags = new Set(linuxFlags());
  const known = instructionSets.filter((flag) => flags.has(flag));
  return `${process.arch} ${known.length > 0 ? known.join(' ') : (cpus()[0]?.model ?? 'unknown')}`;
}

// ---------------------------------------------------------------------------------------------------------------------

function linuxFlags(): string[] {
  if (process.platform !== 'linux') return [];
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  return line.trim().split(/\s+/);
}

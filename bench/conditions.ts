import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** The line that every table begins with: where and when it was measured. */
export function conditions(): string {
  const load = process.platform === 'linux' ? readFileSync('/proc/loadavg', 'utf8').split(' ')[0] : '?';
  return `${new Date().toISOString().slice(0, 10)} · ${cpus()[0]?.model} · ${availableParallelism()} cores · Node ${process.versions.node} · load ${load}`;
}

/** Rows under headings, numbers to the right. */
export function printTable(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const text = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) => Math.max(...text.map((row) => row[column]?.length ?? 0)));
  for (const row of text) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
  }
}

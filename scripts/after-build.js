// tsc writes files as 0644, and `npx curate` inside the repository needs the executable bit.
import { chmodSync, writeFileSync } from 'node:fs';
import { builtDescriptors, shippedDescriptors } from '../dist/decontam/benchmarks.js';

chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);
writeFileSync(builtDescriptors, JSON.stringify(shippedDescriptors()));

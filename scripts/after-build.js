// tsc writes files as 0644, and `npx curate` inside the repository needs the executable bit.
import { chmodSync } from 'node:fs';

chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755);

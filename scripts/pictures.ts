import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { productFolder } from '../src/product.js';
import { openBrowser } from '../test/browser/chromium.js';
import { terminalPicture } from './terminal-picture.js';

// Makes the README's pictures from a fresh quickstart, in a folder of its own: npm run docs:pictures
const pictures = join(productFolder, 'docs', 'pictures');
const folder = mkdtempSync(join(tmpdir(), 'curate-pictures-'));
mkdirSync(pictures, { recursive: true });
try {
  const pipeline = join(productFolder, 'data', 'pipelines', 'quickstart.yaml');
  const main = join(productFolder, 'dist', 'cli', 'main.js');
  const ran = spawnSync('node', [main, 'run', pipeline, '--out', 'runs/quickstart', '--quiet'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '1', COLUMNS: '80' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (ran.status !== 0) throw new Error('the quickstart failed');
  const shown = ran.stdout.replace(/^\n+/, '');
  writeFileSync(join(pictures, 'closing-report.svg'), terminalPicture('npm run quickstart', shown));
  await photograph(join(folder, 'runs', 'quickstart', 'report.html'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function photograph(page: string): Promise<void> {
  const browser = await openBrowser();
  try {
    for (const colorScheme of ['light', 'dark'] as const) {
      const view = await browser.newPage({ viewport: { width: 1100, height: 1180 }, colorScheme });
      await view.goto(pathToFileURL(page).href);
      await view.screenshot({ path: join(pictures, `report-${colorScheme}.png`) });
      await view.close();
    }
  } finally {
    await browser.close();
  }
}

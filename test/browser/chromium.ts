import { existsSync } from 'node:fs';
import packed from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

/**
 * A headless Chromium without anything installed by hand: the one named by CURATE_CHROMIUM, the one packed into an npm
 * package (Linux, x64 and arm64), or the system's. Throws where there is none: a page that nobody looked at is not tested.
 */
export async function openBrowser(): Promise<Browser> {
  const tried: string[] = [];
  for (const executablePath of await candidates()) {
    try {
      return await chromium.launch({ executablePath, args: ['--no-sandbox'], headless: true });
    } catch (error) {
      tried.push(`${executablePath}: ${String(error).split('\n')[0]}`);
    }
  }
  throw new Error(
    `no Chromium starts here (${tried.join('; ') || 'none found'}). On Debian: apt-get install chromium; elsewhere set CURATE_CHROMIUM to its executable.`,
  );
}

async function candidates(): Promise<string[]> {
  const named = process.env.CURATE_CHROMIUM;
  if (named !== undefined && named !== '') return [named];
  const system = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].filter((path) => existsSync(path));
  return process.platform === 'linux' ? [await packed.executablePath(), ...system] : system;
}

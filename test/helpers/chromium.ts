import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Debian's Chromium, headless, with QUIC. `await using browser = await launchChromium()` closes it. */
export async function launchChromium(options: { args?: string[] } = {}): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`${executablePath} is missing: this test needs Debian's package: apt-get install chromium`);
  }
  return chromium.launch({
    executablePath,
    headless: true,
    // Playwright adds it; WebTransport needs QUIC.
    ignoreDefaultArgs: ['--disable-quic'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(options.args ?? []),
    ],
  });
}

// Headless Chromium of the system, driven by playwright-core.

import { createRequire } from 'node:module';
import path from 'node:path';

export async function launch() {
  const require = createRequire(path.join(import.meta.dirname, '../.installed/npm/package.json'));
  const { chromium } = require('playwright-core');
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

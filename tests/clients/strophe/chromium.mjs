// The story in headless Chromium, from a page of another origin: node chromium.mjs bosh|ws

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { launch } from './browser.mjs';
import { task } from './task.mjs';

const require = createRequire(path.join(import.meta.dirname, '../.installed/npm/package.json'));
const dist = path.join(path.dirname(require.resolve('strophe.js')), 'strophe.esm.js');
const files = {
  '/': ['text/html', '<!doctype html><meta charset="utf-8"><title>story</title>'],
  '/story.mjs': ['text/javascript', await readFile(path.join(import.meta.dirname, 'story.mjs'))],
  '/strophe.esm.js': ['text/javascript', await readFile(dist)],
};
const server = createServer((request, response) => {
  const file = files[request.url];
  response.writeHead(file ? 200 : 404, { 'Content-Type': file?.[0] ?? 'text/plain' }).end(file?.[1] ?? '');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const browser = await launch();
let code = 0;
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error('page:', error.message));
  await page.exposeFunction('emit', (kind, value) => {
    console.log(kind, typeof value === 'string' ? value : JSON.stringify(value));
  });
  await page.goto(`http://localhost:${server.address().port}/`);
  await page.evaluate(async (task) => {
    const { story } = await import('/story.mjs');
    const strophe = await import('/strophe.esm.js');
    // Calls into the test program are asynchronous: keep them in order.
    let last = Promise.resolve();
    await story(strophe, task, (kind, value) => { last = last.then(() => window.emit(kind, value)); });
    await last;
  }, task(process.argv[2]));
} catch (error) {
  console.error(error);
  code = 1;
}
await browser.close();
process.exit(code);

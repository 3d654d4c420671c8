// The server's own sample page in headless Chromium, found by the names a screen reader would say and driven by the
// keyboard: node page.mjs URL PASSWORD bosh|websocket

import { strict as assert } from 'node:assert';
import { launch } from './browser.mjs';

const [url, password, transport] = process.argv.slice(2);
const browser = await launch();
let code = 0;
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  const broken = [];
  page.on('pageerror', (error) => broken.push(error.message));

  const button = (name) => page.getByRole('button', { name, exact: true });
  const press = async (name) => {
    await button(name).and(page.locator(':enabled')).waitFor();
    await button(name).focus();
    await page.keyboard.press('Enter');
  };
  const state = (...states) =>
    page.waitForFunction((states) => states.includes(document.querySelector('#state').dataset.state), states);

  await page.goto(url);
  await page.getByText('in service').waitFor();
  await page.getByLabel('Agent id').fill('1002');
  assert.equal(await page.getByLabel('Extension').inputValue(), '2002', 'the extension is suggested');
  await page.getByLabel('Password').fill('not ' + password);
  await page.keyboard.press('Enter');
  await page.getByText('Authorization Failure').waitFor();

  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Events over').selectOption(transport);
  await page.getByLabel('Password').focus();
  await page.keyboard.press('Enter');
  await state('NOT_READY');
  // The next step has the focus.
  await page.waitForFunction(() => document.activeElement.id === 'ready');

  await press('Ready');
  await press('Answer');
  await state('TALKING');
  await press('Hold');
  await state('HOLD');
  await press('Retrieve');
  await state('TALKING');
  await press('Not ready');
  await page.getByText('then NOT READY').waitFor();
  await press('Drop');
  await page.getByText('No call.').waitFor();
  await state('NOT_READY', 'WORK');

  await page.getByLabel('Number to call').fill('0305550123');
  await page.keyboard.press('Enter');
  await page.locator('#calls label').filter({ hasText: '0305550123' }).waitFor();
  await press('Drop');
  await page.getByText('No call.').waitFor();

  const sources = await page.locator('#events li').evaluateAll((items) => items.map((item) => item.dataset.source));
  assert.ok(sources.includes('/finesse/api/User/1002'), `state events are shown: ${sources}`);
  assert.ok(sources.some((source) => source.startsWith('/finesse/api/Dialog/')), 'call events are shown');
  await press('Sign out');
  await page.getByText('Signed out.').waitFor();
  assert.deepEqual(broken, [], 'no script failed');
  assert.equal(await page.getByLabel('Password').inputValue(), '', 'the password is not kept');
} catch (error) {
  console.error(error);
  code = 1;
} finally {
  await browser.close();
}
process.exit(code);

// Drives the sample page in headless Chromium, by keyboard alone: node drive.mjs story websocket|bosh, or
// node drive.mjs origins. The task is in the environment, see tests/src/clients.rs; with SCREENSHOTS it leaves
// pictures in that folder.

import assert from 'node:assert/strict';
import path from 'node:path';
import { launch } from '../strophe/browser.mjs';
import { Cable } from './cable.mjs';
import { dimTexts, focusProblem, look, nameless } from './look.mjs';

const { FINESSE_USER: user, FINESSE_EXTENSION: extension, FINESSE_PASSWORD: password, SCREENSHOTS: shots } = process.env;
const browser = await launch();

/** The page in a window of its own, with everything that a test wants to know about it. */
class Driver {
  complaints = [];
  wire = [];

  static async open(origin) {
    const driver = new Driver();
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 } });
    const page = (driver.page = await context.newPage());
    page.setDefaultTimeout(15000);
    page.on('pageerror', (error) => driver.complaints.push(error.stack));
    page.on('console', (entry) => {
      if (['error', 'warning'].includes(entry.type())) driver.complaints.push(entry.text());
    });
    // What comes in, seen below the page: frames of a WebSocket and answers to BOSH requests.
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => driver.wire.push(String(payload))));
    page.on('response', (answer) => {
      if (answer.url().endsWith('/http-bind/')) driver.wire.push(answer.text().catch(() => ''));
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol !== 'data:') assert.equal(url.host, new URL(origin).host, 'everything comes from one origin');
    });
    await page.goto(origin);
    return driver;
  }

  look() { return this.page.evaluate(look); }

  /** Waits until the page shows all of `wanted`. */
  async shows(wanted) {
    const end = Date.now() + 20000;
    for (;;) {
      const seen = await this.look();
      const part = Object.fromEntries(Object.keys(wanted).map((key) => [key, seen[key]]));
      try {
        return assert.deepEqual(part, wanted);
      } catch (error) {
        if (Date.now() > end) throw new Error(`${error.message}\n${JSON.stringify(seen, null, 1)}\n${this.complaints.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Goes to a control by Tab or Shift+Tab; the focus is to be seen on every control in between. */
  async tabTo(id) {
    for (let steps = 0; steps < 30; steps++) {
      const way = await this.page.evaluate((id) => {
        const [target, here] = [document.getElementById(id), document.activeElement];
        if (target === here) return null;
        return here === document.body || here.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING ? 'Tab' : 'Shift+Tab';
      }, id);
      if (!way) return;
      await this.page.keyboard.press(way);
      assert.equal(await this.page.evaluate(focusProblem), null);
    }
    assert.fail(`#${id} is not reached with the keyboard`);
  }

  async fill(id, value) {
    await this.tabTo(id);
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.type(value);
  }

  /** Presses a button by Enter or the space bar; it keeps the focus. */
  async press(id, key = 'Enter') {
    await this.tabTo(id);
    await this.page.keyboard.press(key);
    assert.equal((await this.look()).focus, id);
  }

  async signIn(transport, secret = password) {
    await this.fill('user', user);
    await this.fill('password', secret);
    await this.fill('extension', extension);
    await this.tabTo('transport');
    await this.page.keyboard.type(transport);
    await this.tabTo('sign-in');
    await this.page.keyboard.press('Enter');
  }

  /** Text is readable and nothing is cut off, light and dark, wide and narrow. */
  async looksDecent(name) {
    assert.deepEqual(await this.page.evaluate(nameless), [], 'every control has a name');
    for (const colorScheme of ['light', 'dark']) {
      await this.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      assert.deepEqual(await this.page.evaluate(dimTexts), [], `contrast, ${name}, ${colorScheme}`);
      for (const width of [1280, 390]) {
        await this.page.setViewportSize({ width, height: 800 });
        const wide = await this.page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${name} is ${wide} wide in a window of ${width}`);
        if (shots) await this.page.screenshot({ path: path.join(shots, `page-${name}-${colorScheme}-${width}.png`) });
      }
      await this.page.setViewportSize({ width: 1280, height: 800 });
    }
  }

  /** Events as the page lists them, oldest first. */
  events() {
    return this.page.evaluate(() => [...document.querySelectorAll('#events li')].reverse().map((item) => ({
      ...item.dataset,
      raw: item.querySelector('pre').textContent.replace(/\n */g, ''),
    })));
  }

  /** The same from what came over the wire. */
  async received() {
    const entities = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
    const texts = (await Promise.all(this.wire)).join('').matchAll(/<notification[^>]*>(.*?)<\/notification>/gs);
    return [...texts].map(([, text]) => text.replace(/&(\w+);/g, (_, name) => entities[name]));
  }
}

const BUTTONS = ['clear'];
const over = (transport) => ({ websocket: 'Connected over WebSocket', bosh: 'Connected over BOSH' })[transport];

/** An agent's day, then a cut cable, then the end of the server. */
async function story(transport) {
  const cable = await Cable.to(new URL(process.env.FINESSE_HTTP));
  const driver = await Driver.open(cable.origin);
  await driver.shows({ phase: 'out', focus: 'user', link: 'Not signed in', message: '' });
  await driver.looksDecent('sign-in');
  await driver.fill('user', '1004');
  assert.equal(await driver.page.inputValue('#extension'), '2004', 'the extension of the demo is suggested');

  await driver.signIn(transport, 'wrong');
  await driver.shows({ phase: 'out', message: 'Wrong agent id or password.', isError: true, focus: 'password' });
  await driver.looksDecent('wrong-password');
  assert.equal(driver.complaints.length, 1, driver.complaints.join());
  assert.match(driver.complaints.pop(), /401/); // the browser itself says that

  await driver.signIn(transport);
  await driver.shows({
    phase: 'in', state: 'NOT READY', link: over(transport), focus: 'ready', message: '', calls: [],
    callStatus: 'No call.', enabled: ['ready', 'sign-out', 'call', ...BUTTONS], title: 'NOT READY – Sample agent client',
  });
  await driver.press('answer'); // does nothing yet
  await driver.press('ready');
  // READY is short when a call waits: the list of events is checked for it.
  await driver.shows({ state: 'RESERVED', calls: ['ALERTING'], enabled: ['answer', ...BUTTONS], focus: 'ready' });
  await driver.looksDecent('call');
  assert.match((await driver.look()).callStatus, /^Call from \d+ to \d+: ALERTING$/);

  await driver.press('answer');
  await driver.shows({ state: 'TALKING', calls: ['ACTIVE'], focus: 'answer', enabled: ['ready', 'not-ready', 'hold', 'drop', ...BUTTONS] });
  await driver.press('hold', 'Space');
  await driver.shows({ state: 'HOLD', calls: ['HELD'], focus: 'hold', enabled: ['ready', 'not-ready', 'retrieve', 'drop', ...BUTTONS] });
  await driver.press('retrieve');
  await driver.shows({ state: 'TALKING', calls: ['ACTIVE'], focus: 'retrieve' });
  await driver.press('not-ready');
  await driver.shows({ state: 'TALKING, then NOT READY', focus: 'not-ready', enabled: ['ready', 'hold', 'drop', ...BUTTONS] });
  await driver.looksDecent('talking');
  await driver.press('drop');
  await driver.shows({ state: 'NOT READY', calls: [], callStatus: 'No call.', focus: 'drop', enabled: ['ready', 'sign-out', 'call', ...BUTTONS] });

  await driver.fill('dial', '0305550123');
  await driver.page.keyboard.press('Enter');
  await driver.shows({ state: 'TALKING', calls: ['ACTIVE'], focus: 'dial' });
  assert.equal(await driver.page.innerText('.parties'), `${extension} → 0305550123`);
  await driver.press('drop');
  await driver.shows({ state: 'NOT READY', calls: [], focus: 'drop' });

  // An event opens with the keyboard and shows what came.
  await driver.tabTo('events');
  await driver.page.keyboard.press('Tab');
  await driver.page.keyboard.press('Enter');
  assert.match(await driver.page.locator('#events details[open] pre').innerText(), /^<Update>\n {2}<data>/);
  await driver.looksDecent('event');

  await driver.press('sign-out', 'Space').catch(() => {}); // the focus goes on to the form
  await driver.shows({ phase: 'out', message: 'Signed out.', isError: false, focus: 'user', link: 'Not signed in' });
  assert.equal(await driver.page.inputValue('#password'), '', 'the password is not kept');
  await events(driver);
  assert.deepEqual(driver.complaints, []);

  await driver.signIn(transport);
  await driver.shows({ phase: 'in', state: 'NOT READY' });
  await driver.tabTo('not-ready');
  await cable.cut();
  await driver.shows({ link: 'Disconnected', isError: true, enabled: BUTTONS, focus: 'not-ready' });
  assert.match((await driver.look()).message, /^The connection to the server was lost\. Trying again in \d+ s…$/);
  await driver.looksDecent('disconnected');
  await callElsewhere('0305550123');
  await cable.mend();
  await driver.shows({ link: over(transport), message: 'Connected again.', isError: false, focus: 'not-ready' });
  await driver.shows({ state: 'TALKING', calls: ['ACTIVE'] }); // what happened in between is fetched

  process.kill(Number(process.env.FINESSE_PID), 'SIGKILL');
  await driver.shows({ link: 'Disconnected', isError: true, enabled: BUTTONS, focus: 'not-ready' });
}

/** The list of raw events is what came over the wire, and tells the day in its order. */
async function events(driver) {
  const events = await driver.events();
  assert.deepEqual(events.map((event) => event.raw), await driver.received());
  // Neighbours of the same state, as when a pending state is added, count once.
  const states = (node) => events.filter((event) => event.node === node).map((event) => event.about).filter((each, i, all) => each !== all[i - 1]);
  assert.deepEqual(states(`/finesse/api/User/${user}`),
    ['NOT_READY', 'READY', 'RESERVED', 'TALKING', 'HOLD', 'TALKING', 'NOT_READY', 'TALKING', 'NOT_READY', 'LOGOUT']);
  assert.deepEqual(states(`/finesse/api/User/${user}/Dialogs`), 
    ['ALERTING', 'ACTIVE', 'DROPPED', 'INITIATING', 'INITIATED', 'ACTIVE', 'DROPPED']);
}

/** The same user calls somebody over another connection. */
async function callElsewhere(number) {
  const answer = await fetch(`${process.env.FINESSE_HTTP}/finesse/api/User/${user}/Dialogs`, {
    method: 'POST',
    headers: { Authorization: 'Basic ' + btoa(`${user}:${password}`), 'Content-Type': 'application/xml' },
    body: `<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>${extension}</fromAddress><toAddress>${number}</toAddress></Dialog>`,
  });
  assert.equal(answer.status, 202);
}

/** From every listener of the server the page works with what that listener has. */
async function origins() {
  for (const name of ['HTTP', 'HTTPS', 'BOSH', 'BOSH_TLS']) {
    for (const transport of ['websocket', 'bosh']) {
      const driver = await Driver.open(new URL(process.env[`FINESSE_${name}`]).origin);
      await driver.signIn(transport);
      await driver.shows({ phase: 'in', state: 'NOT READY', link: over(transport) });
      await driver.press('ready');
      await driver.shows({ state: 'READY', enabled: ['not-ready', 'sign-out', 'call', ...BUTTONS] });
      await driver.tabTo('sign-out');
      await driver.page.keyboard.press('Enter');
      await driver.shows({ phase: 'out', message: 'Signed out.' });
      assert.deepEqual(driver.complaints, []);
      await driver.page.context().close();
    }
  }
}

let code = 0;
try {
  await { story, origins }[process.argv[2]](process.argv[3]);
} catch (error) {
  console.error(error);
  code = 1;
}
await browser.close();
process.exit(code);

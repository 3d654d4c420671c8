// Many sessions with xmpp.js and stream management over a bad network: node xmppjs.mjs URL LAST USER... ; see
// tests/tests/chaos.rs. Prints READY and the user when a session is available, and in the end one REPORT for each.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const require = createRequire(path.join(import.meta.dirname, '../.installed/npm/package.json'));
const { client, xml } = await import(pathToFileURL(require.resolve('@xmpp/client')).href);
globalThis.WebSocket = require('ws');

const [service, last, ...users] = process.argv.slice(2);

function session(user) {
  return new Promise((resolve) => {
    const received = [];
    let recovered = 0;
    let ready = false;
    let over = false;
    const xmpp = client({ service, domain: 'localhost', resource: 'xmppjs', username: user, password: 'pw' });
    xmpp.reconnect.delay = 100;
    const end = (ended) => {
      if (over) return;
      over = true;
      resolve({ user, received, ended, recovered });
      xmpp.reconnect.stop();
      xmpp.stop().catch(() => {});
    };
    // Every break is an error first.
    xmpp.on('error', () => {});
    xmpp.streamManagement.on('resumed', () => { recovered++; });
    xmpp.on('online', () => {
      // Another session instead of the old one: its events may be missing from here on.
      if (ready) end('not resumed');
    });
    // xmpp.js is online before it has switched stream management on, and what comes in one piece with <enabled/> it
    // counts and then forgets: it would ask for that again when it resumes. So nothing may come before.
    xmpp.on('nonza', (element) => {
      if (!element.is('enabled', 'urn:xmpp:sm:3')) return;
      setImmediate(() => xmpp.send(xml('presence')).catch(() => {}));
    });
    xmpp.on('stanza', (stanza) => {
      if (stanza.is('presence') && !ready && stanza.attrs.from.startsWith(`${user}@`)) {
        ready = true;
        console.log('READY', user);
      }
      if (!stanza.is('message') || over) return;
      const item = stanza.getChild('event')?.getChild('items')?.getChild('item');
      const number = Number(/<n>(\d+)<\/n>/.exec(item.getChildText('notification'))[1]);
      received.push(number);
      if (number === Number(last)) end(null);
    });
    // A connection that breaks during the first login is made anew by `reconnect`.
    xmpp.start().catch(() => {});
  });
}

const reports = await Promise.all(users.map(session));
// The pipe is written behind the scenes, and has to be empty before the end.
process.stdout.write(reports.map((report) => `REPORT ${JSON.stringify(report)}\n`).join(''), () => process.exit(0));

// Desktops with Strophe.js over BOSH that go from one server to the other: see tests/src/failover/foreign.rs.

import readline from 'node:readline';

import { $iq, $pres, Strophe } from '../strophe/xhr.mjs';

const task = JSON.parse(process.argv[2]);
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (name, document) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(document)[1];

async function get(node, path, user) {
  const headers = user ? { Authorization: `Basic ${btoa(`${user}:${task.password}`)}` } : {};
  const signal = AbortSignal.timeout(4000);
  const answer = await fetch(`http://${node.http}/finesse/api/${path}`, { headers, signal });
  if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status}`);
  return answer.text();
}

class Desk {
  constructor(user) {
    this.user = user;
    this.sessions = [];
  }

  get log() {
    return this.sessions.at(-1).log;
  }

  async readAnew(node) {
    for (const path of [`User/${this.user}`, `User/${this.user}/Dialogs`]) {
      // Events that come meanwhile are newer, or in the document already: they stand behind it.
      const { log } = this;
      const place = log.length;
      const document = await get(node, path, this.user);
      log.splice(place, 0, { get: path, document });
    }
  }

  async live() {
    let at = 0;
    for (;;) {
      for (const candidate of [at, 1 - at]) {
        const info = await get(task.nodes[candidate], 'SystemInfo').catch(() => null);
        if (info && text('status', info) === 'IN_SERVICE') {
          at = candidate;
          await this.session(at, text('xmppDomain', info));
          break;
        }
      }
      await sleep(200);
    }
  }

  session(at, domain) {
    const node = task.nodes[at];
    const session = { node: at, log: [], ended: false };
    this.sessions.push(session);
    const connection = new Strophe.Connection(`http://${node.http}/http-bind/`, { mechanisms: [Strophe.SASLPlain] });
    connection.addHandler((message) => {
      const items = message.getElementsByTagName('items')[0];
      const item = message.getElementsByTagName('item')[0];
      // What Strophe hands out has its text escaped once more.
      const raw = Strophe.getText(message.getElementsByTagName('notification')[0]);
      const update = raw.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&');
      const name = items.getAttribute('node');
      if (!session.ended) session.log.push({ node: name, item: item.getAttribute('id'), update });
      if (name.endsWith('/SystemInfo') && text('status', update) === 'IN_SERVICE') this.readAnew(node).catch(() => {});
      return true;
    }, null, 'message');
    return new Promise((resolve) => {
      const end = () => {
        session.ended = true;
        connection.reset();
        resolve();
      };
      connection.connect(`${this.user}@${domain}/strophe`, task.password, (status) => {
        if (status === Strophe.Status.CONNECTED) {
          connection.send($pres());
          // Stanzas are handled in order: once this is answered presence has been.
          connection.sendIQ($iq({ type: 'get', to: domain }).c('ping', { xmlns: 'urn:xmpp:ping' }), () => {
            // Out of service meanwhile: the event that it is back will come.
            this.readAnew(node).catch(() => {});
          });
        }
        if ([Strophe.Status.DISCONNECTED, Strophe.Status.CONNFAIL, Strophe.Status.AUTHFAIL].includes(status)) end();
      }, 2, 1);
    });
  }
}

const desks = task.users.map((user) => new Desk(user));
desks.forEach((desk) => desk.live());
console.log('READY 0');
readline.createInterface({ input: process.stdin }).on('line', () => {
  console.log(JSON.stringify(desks.map(({ user, sessions }) => ({ user, sessions }))));
}).on('close', () => process.exit(0));

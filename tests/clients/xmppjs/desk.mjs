// A client at a desk with xmpp.js: node desk.mjs tcp|tls|ws|wss. See tests/src/desk.rs for what it is told and answers.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const require = createRequire(path.join(import.meta.dirname, '../.installed/npm/package.json'));
const { client, xml } = await import(pathToFileURL(require.resolve('@xmpp/client')).href);
const task = process.env;
const PUBSUB = 'http://jabber.org/protocol/pubsub';
// Older Node has no WebSocket of its own, and the one of newer Node cannot be cut.
globalThis.WebSocket = require('ws');
// Over `tcp` it takes the STARTTLS that is offered. In the clear it sends a password to this very machine only.
const service = {
  tcp: `xmpp://${task.FINESSE_XMPP}`,
  tls: `xmpps://${task.FINESSE_XMPP_TLS}`,
  ws: task.FINESSE_WS,
  wss: task.FINESSE_WSS,
}[process.argv[2]];

let xmpp;
let online = () => {};

function published(message) {
  const items = message.getChild('event', `${PUBSUB}#event`)?.getChild('items');
  for (const item of items?.getChildren('item') ?? []) {
    const update = item.getChildText('notification');
    say('EVENT', JSON.stringify({ node: items.attrs.node, to: message.attrs.to, update }));
  }
}

async function connect(resource) {
  xmpp = client({
    service,
    // With Bind 2 it is by this that a second session replaces the first.
    userAgent: xml('user-agent', { id: 'd4565fa7-4d72-4749-b3d3-740edbf87770' }),
    domain: task.FINESSE_DOMAIN,
    resource,
    username: task.FINESSE_USER,
    password: task.FINESSE_PASSWORD,
  });
  xmpp.reconnect.stop();
  const mine = xmpp;
  // Behind the stream error may come another, about what it wanted to write at that moment.
  mine.on('error', (error) => { mine.condition ??= error.condition ?? error.code ?? String(error); });
  mine.on('disconnect', () => { if (mine.running && !mine.expected) say('ENDED', mine.condition ?? 'silently'); });
  const application = new Promise((resolve) => { online = resolve; });
  mine.on('stanza', (stanza) => {
    if (stanza.is('message')) published(stanza);
    if (stanza.is('presence') && !stanza.attrs.type && stanza.attrs.from.startsWith('finesse@')) online();
  });
  // start() misses the server's header when it comes before its own write is reported, and gives up although all goes
  // on well (0.14.0); the event tells.
  const jid = await new Promise((resolve, reject) => {
    mine.once('online', resolve);
    mine.start().catch((error) => { if (error.name !== 'TimeoutError') reject(error); });
  });
  mine.running = true;
  await mine.send(xml('presence', {}, xml('priority', {}, '0')));
  await application;
  return jid.toString();
}

const pubsub = (child) => xml('pubsub', { xmlns: PUBSUB }, child);
const jid = (kind) => (kind === 'full' ? xmpp.jid : xmpp.jid.bare()).toString();
const ask = (type, child, to = task.FINESSE_PUBSUB) => xmpp.iqCaller[type](child, to, 10_000);

const orders = {
  connect,
  ping: () => ask('get', xml('ping', { xmlns: 'urn:xmpp:ping' }), task.FINESSE_DOMAIN).then(() => ''),
  async info(node) {
    const query = await ask('get', xml('query', { xmlns: 'http://jabber.org/protocol/disco#info', node }));
    const { category, type } = query.getChild('identity').attrs;
    return `${category}/${type}`;
  },
  async subscriptions() {
    const answer = await ask('get', pubsub(xml('subscriptions')));
    return answer.getChild('subscriptions').getChildren('subscription').map((s) => s.attrs.node).join(' ');
  },
  async subscribe(node, kind) {
    const answer = await ask('set', pubsub(xml('subscribe', { node, jid: jid(kind) })));
    return answer.getChild('subscription').attrs.subscription;
  },
  unsubscribe: (node, kind) => ask('set', pubsub(xml('unsubscribe', { node, jid: jid(kind) }))).then(() => ''),
  async cut() {
    xmpp.expected = true;
    const gone = new Promise((resolve) => xmpp.once('disconnect', resolve));
    // A socket of Node is destroyed, a WebSocket terminated; behind STARTTLS is one more layer.
    const socket = xmpp.socket.socket ?? xmpp.socket;
    if (socket.terminate) socket.terminate(); else socket.destroy();
    await gone;
    return '';
  },
  async resume() {
    const resumed = new Promise((resolve, reject) => {
      xmpp.streamManagement.once('resumed', resolve);
      xmpp.streamManagement.once('fail', () => reject(new Error('not resumed')));
    });
    // The same as start().
    xmpp.reconnect.reconnect().catch((error) => { if (error.name !== 'TimeoutError') throw error; });
    await resumed;
    xmpp.expected = false;
    return xmpp.jid.toString();
  },
  async close() {
    xmpp.expected = true;
    await xmpp.stop();
    return '';
  },
  quit: () => process.exit(0),
};

function say(kind, value) {
  process.stdout.write(`${kind} ${value}\n`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...words] = line.split(' ');
  try {
    say('OK', await orders[order](...words));
  } catch (error) {
    say('NO', error.condition ?? error.stack);
  }
}

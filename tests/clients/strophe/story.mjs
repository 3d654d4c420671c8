// An agent's session with Strophe.js, the same in Node and in a browser: see tests/src/clients.rs for the rules.

/**
 * @param {object} Strophe the namespace of strophe.js
 * @param {{$iq: function, $pres: function}} build stanza builders
 * @param {object} task user, password, extension, domain, pubsub, http, service
 * @param {function(string, object)} emit called with ('EVENT', {node, update}) and ('STEP', text)
 */
export async function story({ Strophe, $iq, $pres }, task, emit) {
  const userNode = `/finesse/api/User/${task.user}`;
  const dialogsNode = `${userNode}/Dialogs`;
  const waiting = [];
  const queue = [];

  const next = (ms = 30000) => queue.length ? Promise.resolve(queue.shift()) : new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no event in time')), ms);
    waiting.push((event) => { clearTimeout(timer); resolve(event); });
  });
  const until = async (what, matches) => {
    for (;;) {
      const event = await next();
      if (matches(event)) {
        emit('STEP', what);
        return event.update;
      }
    }
  };
  const state = (wanted) => until(wanted, (e) => e.node === userNode && e.update.includes(`<state>${wanted}</state>`));

  const rest = async (method, path, body) => {
    const requestId = crypto.randomUUID();
    const answer = await fetch(task.http + path, {
      method,
      body,
      headers: {
        Authorization: 'Basic ' + btoa(`${task.user}:${task.password}`),
        'Content-Type': 'application/xml',
        requestId,
      },
    });
    const text = await answer.text();
    if (answer.status !== 202 || text !== '') throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return requestId;
  };
  const setState = (value) => rest('PUT', userNode, `<User><state>${value}</state></User>`);
  const ownLeg = (update) => {
    for (const [leg] of update.matchAll(/<Participant>.*?<\/Participant>/gs)) {
      if (leg.includes(`<mediaAddress>${task.extension}</mediaAddress>`)) return /<state>(\w+)<\/state>/.exec(leg)[1];
    }
    return null;
  };

  const connection = new Strophe.Connection(task.service, { mechanisms: [Strophe.SASLPlain] });
  let applicationSeen;
  const application = new Promise((resolve) => { applicationSeen = resolve; });
  connection.addHandler((presence) => {
    if (presence.getAttribute('from').startsWith('finesse@') && !presence.getAttribute('type')) applicationSeen();
    return true;
  }, null, 'presence');
  connection.addHandler((message) => {
    for (const items of message.getElementsByTagName('items')) {
      for (const notification of items.getElementsByTagName('notification')) {
        // The tunnel of the vendor's desktop takes the text of the whole message: it must be the payload alone.
        if (message.textContent !== notification.textContent) throw new Error('more text than the payload');
        const event = { node: items.getAttribute('node'), update: notification.textContent };
        emit('EVENT', event);
        const waiter = waiting.shift();
        if (waiter) waiter(event); else queue.push(event);
      }
    }
    return true;
  }, null, 'message');

  await new Promise((resolve, reject) => {
    connection.connect(`${task.user}@${task.domain}/strophe`, task.password, (status, condition) => {
      if (status === Strophe.Status.CONNECTED) resolve();
      if ([Strophe.Status.AUTHFAIL, Strophe.Status.CONNFAIL].includes(status)) {
        reject(new Error(`cannot connect: ${status} ${condition}`));
      }
    });
  });
  const iq = (stanza) => new Promise((resolve, reject) => connection.sendIQ(stanza, resolve, reject, 10000));

  connection.send($pres().c('priority').t('0'));
  await application;
  await iq($iq({ type: 'get', to: task.domain }).c('ping', { xmlns: 'urn:xmpp:ping' }));
  // Subscribing to a node of one's own by full JID brings a second copy, with another `to`; the vendor's clients rely on it.
  // This story wants one copy, so it only reads the list.
  const list = await iq($iq({ type: 'get', to: task.pubsub })
    .c('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' }).c('subscriptions'));
  const nodes = [...list.getElementsByTagName('subscription')].map((s) => s.getAttribute('node'));
  for (const node of [userNode, dialogsNode, '/finesse/api/SystemInfo']) {
    if (!nodes.includes(node)) throw new Error(`not subscribed to ${node}: ${nodes}`);
  }

  const requestId = await rest('PUT', userNode, `<User><state>LOGIN</state><extension>${task.extension}</extension></User>`);
  const signedIn = await state('NOT_READY');
  if (!signedIn.includes(`<requestId>${requestId}</requestId>`)) throw new Error(`request id is missing: ${signedIn}`);
  await setState('READY');
  await state('READY');
  const offered = await until('offered', (e) => e.node === dialogsNode && e.update.includes('<event>POST</event>'));
  const dialog = /<id>(\d+)<\/id>/.exec(offered)[1];
  const act = (action) => rest('PUT', `/finesse/api/Dialog/${dialog}`,
    `<Dialog><requestedAction>${action}</requestedAction><targetMediaAddress>${task.extension}</targetMediaAddress></Dialog>`);
  const leg = (wanted) => (e) => e.node === dialogsNode
    && e.update.includes(`<source>/finesse/api/Dialog/${dialog}</source>`) && ownLeg(e.update) === wanted;
  await act('ANSWER');
  await until('answered', leg('ACTIVE'));
  await act('HOLD');
  await until('held', leg('HELD'));
  await act('RETRIEVE');
  await until('retrieved', leg('ACTIVE'));
  // While talking this becomes the pending state, so that no second call comes in between.
  await setState('NOT_READY');
  await until('pending', (e) => e.update.includes('<pendingState>NOT_READY</pendingState>'));
  await act('DROP');
  const left = await until('not ready or wrap-up', (e) => e.node === userNode && /<state>(NOT_READY|WORK)<\/state>/.test(e.update));
  if (left.includes('<state>WORK</state>')) {
    await setState('NOT_READY');
    await state('NOT_READY');
  }
  await setState('LOGOUT');
  await state('LOGOUT');
  await new Promise((resolve) => setTimeout(resolve, 300));
  connection.disconnect();
  emit('STEP', 'done');
}

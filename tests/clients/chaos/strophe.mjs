// Many sessions with Strophe.js over a bad network: node strophe.mjs URL LAST USER... ; see
// tests/src/chaos/crowd.rs.

import { $pres, Strophe } from '../strophe/xhr.mjs';

const [service, last, ...users] = process.argv.slice(2);
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

function session(user) {
  return new Promise((resolve) => {
    const received = [];
    let ended = null;
    let ready = false;
    let recovered = 0;
    let condition = null;
    const connection = new Strophe.Connection(service, { mechanisms: [Strophe.SASLPlain] });
    // A request that is sent again is another object with the same rid.
    const proto = connection._proto;
    const process = proto._processRequest.bind(proto);
    proto._processRequest = (i) => {
      const before = proto._requests[i];
      process(i);
      if (proto._requests[i] !== before && proto._requests[i]?.rid === before.rid) recovered++;
    };
    const finish = () => {
      // One that ends before it began is waited for no longer.
      if (!ready) console.log('READY', user);
      ready = true;
      resolve({ user, received, ended, recovered });
    };
    connection.addHandler((message) => {
      const number = /<n>(\d+)<\/n>/.exec(Strophe.getText(message.getElementsByTagName('notification')[0]).replaceAll('&lt;', '<').replaceAll('&gt;', '>'));
      received.push(Number(number[1]));
      if (number[1] === last) {
        finish();
        connection.disconnect();
      }
      return true;
    }, null, 'message');
    connection.addHandler(() => { if (!ready) console.log('READY', user); ready = true; }, null, 'presence', null, null, `${user}@localhost/strophe`);
    connection.connect(`${user}@localhost/strophe`, 'pw', (status, reason) => {
      if (reason) condition = reason;
      if (status === Strophe.Status.CONNECTED) {
        connection.send($pres());
      }
      if ([Strophe.Status.DISCONNECTED, Strophe.Status.CONNFAIL, Strophe.Status.AUTHFAIL].includes(status)) {
        ended = condition ?? 'disconnected';
        finish();
      }
    }, 20, 1);
  });
}

const reports = await Promise.all(users.map(session));
// The pipe is written behind the scenes, and has to be empty before the end.
process.stdout.write(reports.map((report) => `REPORT ${JSON.stringify(report)}\n`).join(''), () => process.exit(0));

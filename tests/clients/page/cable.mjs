// A cable between the browser and the server that can be cut.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

export class Cable {
  #sockets = new Set();

  static async to(server) {
    const cable = new Cable();
    cable.relay = (near) => {
      const far = connect(Number(server.port), server.hostname);
      for (const [one, other] of [[near, far], [far, near]]) {
        cable.#sockets.add(one);
        one.on('close', () => { cable.#sockets.delete(one); other.destroy(); });
        one.on('error', () => {});
        one.pipe(other);
      }
    };
    await cable.mend();
    cable.origin = `http://127.0.0.1:${cable.port}`;
    return cable;
  }

  /** Ends every connection and refuses new ones. */
  async cut() {
    const closed = once(this.listener.close(), 'close');
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async mend() {
    this.listener = createServer(this.relay).listen(this.port ?? 0, '127.0.0.1');
    await once(this.listener, 'listening');
    this.port = this.listener.address().port;
  }
}

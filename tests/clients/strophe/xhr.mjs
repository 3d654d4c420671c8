// XMLHttpRequest for Strophe.js in Node, made of the package xhr2 and two repairs; and Strophe itself.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const require = createRequire(path.join(import.meta.dirname, '../.installed/npm/package.json'));

globalThis.XMLHttpRequest = class extends require('xhr2') {
  // Strophe wants documents, and this library knows only text; Strophe's own build for Node brings a DOMParser.
  get responseXML() {
    return this.readyState === 4 && this.responseText ? new DOMParser().parseFromString(this.responseText, 'text/xml') : null;
  }

  set responseXML(_) {}

  // An answer whose connection breaks behind its head is a network error, and the status of those is 0, as in every
  // browser (https://xhr.spec.whatwg.org/#the-status-getter). This library leaves 200 and an empty text, from which
  // Strophe concludes that the answer came and was empty: it goes on with the next rid, which acknowledges what it
  // never saw.
  _setError() {
    super._setError();
    this.status = 0;
    this.statusText = '';
  }
};

export const { Strophe, $iq, $pres } = await import(
  pathToFileURL(require.resolve('strophe.js')).href.replace('strophe.cjs', 'strophe.node.esm.js'));

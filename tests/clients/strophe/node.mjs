// The story in Node: node node.mjs bosh|ws

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import { story } from './story.mjs';
import { task } from './task.mjs';

const require = createRequire(path.join(import.meta.dirname, '../.installed/npm/package.json'));
// Strophe wants documents, and this XMLHttpRequest knows only text; its own build for Node brings a DOMParser.
globalThis.XMLHttpRequest = class extends require('xhr2') {
  get responseXML() {
    return this.readyState === 4 && this.responseText ? new DOMParser().parseFromString(this.responseText, 'text/xml') : null;
  }

  set responseXML(_) {}
};
const { Strophe, $iq, $pres } = await import(pathToFileURL(require.resolve('strophe.js')).href.replace('strophe.cjs', 'strophe.node.esm.js'));

try {
  await story({ Strophe, $iq, $pres }, task(process.argv[2]), (kind, value) => {
    console.log(kind, typeof value === 'string' ? value : JSON.stringify(value));
  });
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}

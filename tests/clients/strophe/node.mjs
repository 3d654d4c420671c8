// The story in Node: node node.mjs bosh|ws

import { story } from './story.mjs';
import { task } from './task.mjs';
import { $iq, $pres, Strophe } from './xhr.mjs';

try {
  await story({ Strophe, $iq, $pres }, task(process.argv[2]), (kind, value) => {
    console.log(kind, typeof value === 'string' ? value : JSON.stringify(value));
  });
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}

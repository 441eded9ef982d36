/**
 * What is used of apache-arrow, loaded when it is first asked for: that takes longer than all of curate's own code, and
 * most commands touch no vectors. `require` loads it in a third less time than `import`.
 */
import { createRequire } from 'node:module';

type Arrow = typeof import('apache-arrow');
type Files = typeof import('apache-arrow/ipc/metadata/file') & typeof import('apache-arrow/ipc/metadata/message');

let loaded: (Arrow & Pick<Files, 'Footer' | 'Message'>) | null = null;

export function arrow(): Arrow & Pick<Files, 'Footer' | 'Message'> {
  if (loaded === null) {
    const require = createRequire(import.meta.url);
    const { Footer } = require('apache-arrow/ipc/metadata/file') as Files;
    const { Message } = require('apache-arrow/ipc/metadata/message') as Files;
    loaded = { ...(require('apache-arrow') as Arrow), Footer, Message };
  }
  return loaded;
}

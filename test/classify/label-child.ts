/** Labels the clusters of a run folder in a process of its own, which a test may kill: `label-child.ts RUN OPTIONS-JSON`. */
import { classify } from '../../src/classify/classify.js';
import { classifyOptions } from '../../src/classify/options.js';
import { RunFolder } from '../../src/store/folder.js';
import { contextOf } from './small-run.js';

const [folder = '', options = '{}'] = process.argv.slice(2);
const parsed = classifyOptions.parse(JSON.parse(options));
const context = contextOf(new RunFolder(folder));
const report = await classify.work({}, parsed, context);
await classify.finish([report], parsed, context);

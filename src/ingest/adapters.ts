import type { Adapter, ColumnMap } from './adapter.js';
import { amR1Distilled } from './adapters/am-r1-distilled.js';
import { columns } from './adapters/columns.js';
import { conversations } from './adapters/conversations.js';
import { dolphinR1 } from './adapters/dolphin-r1.js';
import { generalThought } from './adapters/general-thought.js';
import { m23k } from './adapters/m23k.js';
import { medicalO1 } from './adapters/medical-o1.js';
import { medicalR1Distill } from './adapters/medical-r1-distill.js';
import { medmcqa, medmcqaRaw } from './adapters/medmcqa.js';
import { medqa } from './adapters/medqa.js';
import { medreason } from './adapters/medreason.js';
import { messages } from './adapters/messages.js';
import { nemotron } from './adapters/nemotron.js';
import { r1DistillSft } from './adapters/r1-distill-sft.js';
import { synthetic1 } from './adapters/synthetic-1.js';

/** Every adapter; of several that fit, the one that needs most columns fits best, and then the first. */
export const adapters: readonly Adapter[] = [
  synthetic1,
  generalThought,
  dolphinR1,
  nemotron,
  r1DistillSft,
  medicalO1,
  medicalR1Distill,
  m23k,
  medmcqa,
  medmcqaRaw,
  medqa,
  medreason,
  messages,
  amR1Distilled,
  conversations,
  columns,
];

export const adapterNames: readonly string[] = adapters.map((adapter) => adapter.name);

export function adapterNamed(name: string): Adapter {
  const adapter = adapters.find((each) => each.name === name);
  if (adapter === undefined) throw new Error(`no adapter ${name}`);
  return adapter;
}

/** Columns that the adapter needs and `found` lacks. */
export function missingColumns(adapter: Adapter, found: readonly string[], map: ColumnMap = {}): string[] {
  return needsOf(adapter, map)
    .filter((need) => !anyOf(need).some((column) => found.includes(column)))
    .map((need) => anyOf(need).join(' or '));
}

/** Adapters that need nothing which `found` lacks, the most demanding first. */
export function fittingAdapters(found: readonly string[]): Adapter[] {
  return adapters
    .filter((adapter) => missingColumns(adapter, found).length === 0)
    .sort((a, b) => needsOf(b, {}).length - needsOf(a, {}).length);
}

// ---------------------------------------------------------------------------------------------------------------------

function needsOf(adapter: Adapter, map: ColumnMap): readonly (string | readonly string[])[] {
  return adapter.needsOf?.(map) ?? adapter.needs;
}

function anyOf(need: string | readonly string[]): readonly string[] {
  return typeof need === 'string' ? [need] : need;
}

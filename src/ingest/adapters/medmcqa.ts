import { type Adapter, defineAdapter, noTrace, optionalText, text, Unfit } from '../adapter.js';

const optionColumns = ['opa', 'opb', 'opc', 'opd'];

/** The hub counts the correct option from 0 (-1: withheld). */
export const medmcqa = questions('medmcqa', 'question, opa to opd and cop (from 0, as on the hub); no traces', 0);

/** The raw JSON of the authors counts from 1: the same columns, so only the name of the adapter tells them apart. */
export const medmcqaRaw = questions('medmcqa-raw', 'the same with cop from 1, as in the raw JSON; no traces', 1);

// ---------------------------------------------------------------------------------------------------------------------

function questions(name: string, summary: string, first: 0 | 1): Adapter {
  return defineAdapter({
    name,
    summary,
    needs: ['question', ...optionColumns],
    read(row) {
      const options = optionColumns.map((column) => optionalText(row, column) ?? '');
      const cop = row.cop === null || row.cop === undefined ? null : Number(row.cop) - first;
      if (cop !== null && !(Number.isInteger(cop) && cop >= -1 && cop < options.length)) {
        throw new Unfit('cop names no option');
      }
      return {
        nativeId: optionalText(row, 'id'),
        prompt: text(row, 'question'),
        trace: noTrace,
        options,
        referenceAnswer: cop === null || cop < 0 ? null : (options[cop] ?? null),
        finishReason: 'no_trace',
        used: ['id', 'question', ...optionColumns],
      };
    },
  });
}

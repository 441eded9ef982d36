import { type ColumnMap, defineAdapter, longText, noTrace, optionalText, optionList, Unfit } from '../adapter.js';
import { joinColumns, splitInline } from '../trace.js';

/** Canonical fields that `map:` may give a column for. */
export const mappedFields = [
  'id',
  'prompt',
  'trace',
  'response',
  'reasoning',
  'answer',
  'system',
  'reference_answer',
  'options',
  'model',
  'license',
  'finish_reason',
] as const;

export const columns = defineAdapter({
  name: 'columns',
  summary: 'columns of the canonical names, or those that map: gives for them',
  needs: [],
  needsOf(map) {
    const mapped = Object.values(map);
    const trace = ['trace', 'response', 'reasoning', 'answer'].filter((field) => map[field] !== undefined);
    if (trace.length > 0) return [map.prompt ?? 'prompt', ...mapped.filter((column) => column !== map.prompt)];
    return [
      map.prompt ?? 'prompt',
      ['trace', 'response', 'answer'],
      ...mapped.filter((column) => column !== map.prompt),
    ];
  },
  longTextsOf(map) {
    const fields = ['trace', 'response', 'reasoning', 'answer'];
    // A column that is mapped to another field as well is that field's too.
    const other = Object.entries(map).flatMap(([field, column]) => (fields.includes(field) ? [] : [column]));
    return fields.map((field) => map[field] ?? field).filter((column) => !other.includes(column));
  },
  read(row, map) {
    const column = (field: (typeof mappedFields)[number]) => map[field] ?? field;
    const field = (name: (typeof mappedFields)[number]) => optionalText(row, column(name));
    const prompt = field('prompt');
    if (prompt === null) throw new Unfit(`${column('prompt')} is missing`);
    const inline = inlineField(row, map);
    const reasoning = longText(row, column('reasoning'));
    const answer = longText(row, column('answer'));
    return {
      nativeId: field('id'),
      prompt,
      system: field('system'),
      trace:
        inline !== null
          ? splitInline(longText(row, inline), { alwaysTagged: false })
          : reasoning === null && answer === null
            ? noTrace
            : reasoning === null
              ? splitInline(answer, { alwaysTagged: false })
              : joinColumns(reasoning, answer),
      options: optionList(row[column('options')]),
      referenceAnswer: field('reference_answer'),
      model: field('model'),
      license: field('license'),
      finishReason: field('finish_reason'),
      used: [...mappedFields.map(column)],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

/** The column with the whole trace: a mapped one first, else `trace` or `response` where reasoning has no column of its own. */
function inlineField(row: Record<string, unknown>, map: ColumnMap): string | null {
  if (map.trace !== undefined) return map.trace;
  if (map.response !== undefined && map.reasoning === undefined) return map.response;
  if (map.reasoning !== undefined || map.answer !== undefined) return null;
  if (row.trace !== undefined) return 'trace';
  if (row.response !== undefined && (row.reasoning === undefined || row.reasoning === null)) return 'response';
  return null;
}

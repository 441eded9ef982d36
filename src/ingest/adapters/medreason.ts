import { defineAdapter, longText, optionalText, optionList, text } from '../adapter.js';
import { joinColumns } from '../trace.js';

export const medreason = defineAdapter({
  name: 'medreason',
  summary: 'question, options, reasoning and answer, with the id in the data set that the question came from',
  needs: ['question', 'reasoning', 'answer', 'id_in_dataset'],
  longTexts: ['reasoning', 'answer'],
  read(row) {
    const options = optionList(row.options) ?? letteredLines(row.options);
    return {
      nativeId: `${optionalText(row, 'dataset_name') ?? ''}/${optionalText(row, 'id_in_dataset') ?? ''}`,
      prompt: text(row, 'question'),
      trace: joinColumns(longText(row, 'reasoning'), longText(row, 'answer')),
      options,
      used: [
        'dataset_name',
        'id_in_dataset',
        'question',
        'reasoning',
        'answer',
        ...(options === null ? [] : ['options']),
      ],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------------------

/** `Answer Choices:\nA. …\nB. …` as a list. */
function letteredLines(value: unknown): string[] | null {
  if (typeof value !== 'string') return null;
  const options = [...value.matchAll(/^\s*([A-Z])[.):]\s*(.*?)\s*$/gm)].map((match) => match[2] ?? '');
  return options.length > 1 ? options : null;
}

/**
 * `dataset_info.json` as LLaMA-Factory reads it. It takes one file as `file_name`; of several it takes the folder, which
 * it then loads through the card's `configs`.
 */
export function trainingInfo(name: string, files: string[]): string {
  const only = files.length === 1 ? files[0] : undefined;
  const place = only === undefined ? { script_url: '.' } : { file_name: only.slice('dataset/'.length) };
  const entry = {
    ...place,
    formatting: 'sharegpt',
    columns: { messages: 'messages' },
    tags: {
      role_tag: 'role',
      content_tag: 'content',
      user_tag: 'user',
      assistant_tag: 'assistant',
      system_tag: 'system',
    },
  };
  return `${JSON.stringify({ [name]: entry }, null, 2)}\n`;
}

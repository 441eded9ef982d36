import { Tokenizer } from '@huggingface/tokenizers';

/** Token ids of a text as sentence-transformers makes them: cut first, then `[CLS]` and `[SEP]` put around. */
export type Tokenize = (text: string) => Int32Array;

/** `maximum`: the longest text, with the two special tokens, which are those that the tokenizer's file puts around. */
export function makeTokenizer(tokenizerJson: Uint8Array, configJson: Uint8Array, maximum: number): Tokenize {
  const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as object;
  const tokenizer = new Tokenizer(parse(tokenizerJson), parse(configJson));
  const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
  const [start, end, ...further] = tokenizer.encode('', { add_special_tokens: true }).ids;
  if (start === undefined || end === undefined || further.length > 0)
    throw new Error('tokenizer.json puts no two special tokens around a text');
  return (text) => {
    const ids = firstTokens(text, encode, maximum - 2);
    const result = new Int32Array(ids.length + 2);
    result[0] = start;
    result.set(ids, 1);
    result[ids.length + 1] = end;
    return result;
  };
}

// ---------------------------------------------------------------------------------------------------------------------

/**
 * The first tokens of a text. Long texts are cut at a space before they are tokenized, since a word's tokens do not depend on
 * the words after it: a prompt of a megabyte would otherwise take longer to tokenize than to embed.
 */
function firstTokens(text: string, encode: (text: string) => number[], most: number): number[] {
  for (let length = 4096; length < text.length; length *= 2) {
    const end = text.lastIndexOf(' ', length);
    if (end <= 0) continue;
    const ids = encode(text.slice(0, end));
    if (ids.length >= most) return ids.slice(0, most);
  }
  return encode(text).slice(0, most);
}

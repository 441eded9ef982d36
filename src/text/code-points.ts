/** Offsets in code points: what hits are given in, because Python, Parquet readers and people count those. */

/** How many code points of `text` lie before the UTF-16 index `end`. A lone surrogate is one. */
export function countCodePoints(text: string, end = text.length): number {
  let count = end;
  for (let index = 1; index < end; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xdc00 && unit <= 0xdfff) {
      const before = text.charCodeAt(index - 1);
      if (before >= 0xd800 && before <= 0xdbff) count -= 1;
    }
  }
  return count;
}

/** The part of `text` between two code point offsets. */
export function sliceCodePoints(text: string, start: number, end: number): string {
  let point = 0;
  let from = -1;
  let index = 0;
  while (index < text.length && point < end) {
    if (point === start) from = index;
    index += (text.codePointAt(index) as number) > 0xffff ? 2 : 1;
    point += 1;
  }
  return from === -1 ? '' : text.slice(from, index);
}

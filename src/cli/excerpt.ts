import { type Output, safe, width } from './output.js';

/** Text from data in at most so many lines under a margin, made safe, cut at words where it can be; `…` where it ends early. */
export function showText(output: Output, label: string, text: string, lines: number, margin = 10): void {
  const columns = Math.max(20, output.width - margin);
  const wrapped = wrap(safe(text.trim()), columns, lines);
  wrapped.forEach((line, index) => {
    const head = index === 0 ? output.paint('faint', label.padEnd(margin)) : ' '.repeat(margin);
    output.line(`${head}${line}`.trimEnd());
  });
}

/** Lines of at most `columns` terminal columns. */
export function wrap(text: string, columns: number, limit = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(/(?<= )/)) {
    let rest = word;
    while (rest !== '') {
      const wide = width(rest.trimEnd());
      if (used + wide <= columns) {
        line += rest;
        used += width(rest);
        rest = '';
      } else if (used > 0 && wide <= columns) {
        lines.push(line.trimEnd());
        [line, used] = ['', 0];
      } else {
        const head = headOf(rest, columns - used);
        lines.push(`${line}${head}`.trimEnd());
        [line, used] = ['', 0];
        rest = rest.slice(head.length);
      }
      if (lines.length >= limit) {
        const last = lines[limit - 1] ?? '';
        const more = rest !== '' || line !== '';
        return [...lines.slice(0, limit - 1), more ? `${headOf(last, columns - 1)}…` : last];
      }
    }
  }
  if (line.trim() !== '' || lines.length === 0) lines.push(line.trimEnd());
  return lines;
}

/** The longest beginning of a text that fits so many columns, at least one character. */
function headOf(text: string, columns: number): string {
  let head = '';
  let used = 0;
  for (const character of text) {
    const wide = width(character);
    if (used + wide > columns && head !== '') break;
    head += character;
    used += wide;
  }
  return head;
}

import { formatNumber } from '../text/number.js';

/**
 * Text of a row as a person may see it in a browser: characters that reorder, hide or control become `\u{…}`, everything
 * else stays. Apply before escaping for HTML or Markdown.
 */
export function visible(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/gu,
    (character) => (character === '\r' ? '' : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`),
  );
}

/** Text as HTML content or a quoted attribute. */
export function html(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Text as one line of Markdown, also inside a table: no tag, link, image, emphasis, code or line break comes of it. */
export function markdown(text: string): string {
  return html(visible(text).replace(/\s+/g, ' ').trim()).replace(
    /[\\`*_{}[\]()#+!|~$]|(?<=https?|mailto|javascript|data|www)[:.]|^[-=]|^\d+(?=\.)|@/gi,
    (character) => [...character].map((each) => `&#${each.codePointAt(0)};`).join(''),
  );
}

/** At most so many characters (code points), with `…` and the number left out where it was longer. */
export function clipped(text: string, length: number): string {
  if (text.length <= length) return text;
  // A 2 MB row must not be spread into an array for its first few hundred characters.
  const head = Array.from(text.slice(0, length * 2))
    .slice(0, length)
    .join('');
  return `${head}… (${formatNumber(text.length - head.length)} more characters)`;
}

/** One line of at most so many characters, with `…` where there was more. */
export function cut(text: string, length: number): string {
  const line = text
    .slice(0, length * 8)
    .trim()
    .replace(/\s+/g, ' ');
  const characters = [...line];
  return characters.length <= length && text.length <= length * 8 ? line : `${characters.slice(0, length).join('')}…`;
}

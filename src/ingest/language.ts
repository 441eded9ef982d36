import { eld } from 'eld/small';

/** The head of a text is enough, and a trace of a megabyte costs no more than a prompt. */
const headLength = 4_096;

const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const latin = /\p{Script=Latin}/gu;
const codeLine =
  /^\s*(?:(?:def|class|import|from|return|for|while|if|elif|else|try|except|public|private|static|void|int|float|const|let|var|function|func|fn|package|using|namespace|SELECT|INSERT|UPDATE|CREATE)\b.*[(){};:=].*|#include\b.*|#!.*|\/\/.*|[{}\])]+[;,]?|.*[;{]|[\w.[\]]+\s*[-+*/]?=\s*\S.*)\s*$/;

/**
 * ISO 639-1 code of a prompt's language, or `code` (mostly a program), `mixed` (Chinese, Japanese or Korean with as much
 * of another script), `und` (no language to be seen). `eld` alone calls mixed text and code English.
 */
export function languageOf(text: string): string {
  const head = text.slice(0, headLength);
  if (isCode(head)) return 'code';
  const cjkCount = count(head, cjk);
  if (cjkCount > 0) {
    // A Han character carries about what three Latin letters do.
    const share = (3 * cjkCount) / (3 * cjkCount + count(head, latin));
    if (share >= 0.1 && share < 0.75) return 'mixed';
  }
  const { language } = eld.detect(head);
  return language === '' ? 'und' : language;
}

// ---------------------------------------------------------------------------------------------------------------------

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** Half of the text in fences, or three lines and two thirds of all of them look like code. */
function isCode(text: string): boolean {
  let fenced = 0;
  for (const match of text.matchAll(/```[^\n]*\n([\s\S]*?)(?:```|$)/g)) fenced += match[0].length;
  if (fenced * 2 > text.length) return true;
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length < 3) return false;
  const codeLines = lines.filter((line) => line.length < 300 && codeLine.test(line)).length;
  return codeLines >= 3 && codeLines * 3 >= lines.length * 2;
}

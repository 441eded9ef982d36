import { LanguageGrams } from './language-grams.js';
import { countWords } from './words.js';

/** What is looked at to tell code and mixed text; for the language itself a few sentences are enough. */
const headLength = 2_048;
const sentencesLength = 320;
const detectedLength = 160;

/** Quick to deny; the planes beyond the first hold no everyday character. */
const anyCjk = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/;
const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu;
const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu;
const hangul = /\p{Script=Hangul}/gu;
const latin = /\p{Script=Latin}/gu;
const codeStart =
  /^(?:(?:def|class|return|for|while|if|elif|else|try|except|public|private|static|void|int|float|const|let|var|function|func|fn|package|using|namespace|SELECT|INSERT|UPDATE|CREATE)\b.*[(){}:=]|(?:import|from)\s+[\w.]+(?:\s+import\b.*)?$|[\w.]+\(.*\)$|[})\]]+[;,]?$|#include\b|#!|\/\/|[\w.[\]]+\s*[-+*/]?=\s*\S)/;

/**
 * ISO 639-1 code of a prompt's language, or `code` (mostly a program), `mixed` (Chinese, Japanese or Korean with as much
 * of another script), `und` (no language to be seen). n-grams alone call mixed text and code English.
 */
export function languageOf(text: string): string {
  const head = text.slice(0, headLength);
  if (isCode(head)) return 'code';
  const cjkCount = anyCjk.test(head) ? count(head, cjk) : 0;
  if (cjkCount > 0) {
    // A Han character carries about what three Latin letters do.
    const share = (3 * cjkCount) / (3 * cjkCount + count(head, latin));
    if (share >= 0.75) return cjkLanguage(head, cjkCount);
    if (share >= 0.1) return 'mixed';
  }
  const sentences = head.slice(0, sentencesLength);
  if (isPlainEnglish(sentences)) return 'en';
  grams ??= new LanguageGrams();
  const language = grams.detect(sentences.slice(0, detectedLength));
  return language === '' ? 'und' : language;
}

// ---------------------------------------------------------------------------------------------------------------------

let grams: LanguageGrams | null = null;

/** Japanese has kana in every sentence, Korean hardly a Han character. */
function cjkLanguage(text: string, cjkCount: number): string {
  if (count(text, hangul) * 2 > cjkCount) return 'ko';
  return count(text, kana) * 20 > cjkCount ? 'ja' : 'zh';
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** Words that no other language has so many of: with enough of them there is nothing left to ask. */
const englishWords =
  /\b(?:the|of|and|is|are|was|were|with|that|this|which|what|from|for|if|has|have|been|following|would|should|how|many|each|when|then|there|you|your|by|not)\b/gi;

function isPlainEnglish(text: string): boolean {
  const found = text.match(englishWords);
  return found !== null && found.length >= 3 && found.length * 10 >= countWords(text);
}

/** Half of the text in fences, or three lines and two thirds of all of them look like code. */
function isCode(text: string): boolean {
  let fenced = 0;
  if (!text.includes('\n')) return false;
  if (text.includes('```'))
    for (const match of text.matchAll(/```[^\n]*\n([\s\S]*?)(?:```|$)/g)) fenced += match[0].length;
  if (fenced * 2 > text.length) return true;
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length < 3) return false;
  let prose = 0;
  for (const line of lines) {
    if (!isCodeLine(line)) prose += 1;
    if (prose * 3 > lines.length) return false;
  }
  return true;
}

function isCodeLine(line: string): boolean {
  if (line.length >= 300) return false;
  return line.endsWith(';') || line.endsWith('{') || codeStart.test(line);
}

import { hash } from 'node:crypto';
import { Encoded } from '../text/encoded.js';
import { languageOf } from '../text/language.js';
import { strip } from '../text/spaces.js';
import type { Text } from '../text/utf8-text.js';
import { measureEncoded, type TextCounts } from '../text/words.js';
import { type Draft, isRecord, Unfit } from './adapter.js';
import type { CanonicalRow } from './row.js';
import type { Source } from './sources.js';

/** What of a source decides its rows. */
export type RowSource = Pick<Source, 'adapter' | 'map' | 'name' | 'group' | 'license'>;

/** A canonical row with what finding repeats and duplicates needs. */
export interface Canonical {
  row: CanonicalRow;
  /** Hash of prompt, trace and options: equal for rows that say the same. */
  contentKey: string;
  /** UTF-16 units of its texts: what shards are cut by. */
  size: number;
  /** The long texts as UTF-8, until the next row is made. */
  utf8: { prompt: Uint8Array; reasoning: Uint8Array | null; answer: Uint8Array | null };
}

/** What makes of a source's row a canonical one. Throws an `Unfit` for a row that must be quarantined. */
export function canonicalise(value: unknown, source: RowSource, file: string, index: number): Canonical {
  if (!isRecord(value)) throw new Unfit('not an object');
  return complete(source.adapter.read(value, source.map), value, source, file, index);
}

/** The `metadata` that the row would get. Throws like `canonicalise`. */
export function metadataOnly(value: unknown, source: RowSource): string {
  if (!isRecord(value)) throw new Unfit('not an object');
  const draft = source.adapter.read(value, source.map);
  return metadataOf(value, draft, draft.trace.raw);
}

// ---------------------------------------------------------------------------------------------------------------------

const empty: TextCounts = { words: 0, segmented: 0, waits: 0, units: 0 };

const encoded = new Encoded();

/** Parts one text from the next; where that one begins. */
function startNext(): number {
  encoded.addZero();
  return encoded.length;
}

function complete(
  draft: Draft,
  value: Record<string, unknown>,
  source: RowSource,
  file: string,
  index: number,
): Canonical {
  const prompt = strip(draft.prompt);
  if (prompt.length === 0) throw new Unfit('empty prompt');
  const { reasoning, answer, raw } = draft.trace;
  const system = filledOrNull(draft.system);
  const reference = filledOrNull(draft.referenceAnswer);
  const options = draft.options ?? null;
  const model = filledOrNull(draft.model);
  const license = filledOrNull(draft.license) ?? source.license;
  const finishReason = filledOrNull(draft.finishReason);
  for (const text of [prompt, reasoning, answer, system, reference, model, license, finishReason, ...(options ?? [])]) {
    // DuckDB would store U+FFFD for it without a word.
    if (typeof text === 'string' && !text.isWellFormed()) throw new Unfit('lone surrogate');
  }
  const metadata = metadataOf(value, draft, raw);
  const keyed = [prompt, reasoning ?? '', answer ?? '', raw ?? '', ...(options ?? [])];
  // Encoded once, for the hashes, the counts and the table.
  encoded.reset(keyed.reduce((sum, text) => sum + text.length + 1, 0));
  const promptEnd = encoded.add(prompt);
  const reasoningStart = startNext();
  const reasoningEnd = encoded.add(reasoning ?? '');
  const answerStart = startNext();
  const answerEnd = encoded.add(answer ?? '');
  for (const text of keyed.slice(3)) {
    startNext();
    encoded.add(text);
  }
  const { bytes } = encoded;
  const promptBytes = bytes.subarray(0, promptEnd);
  const contentKey = shortHash(bytes.subarray(0, encoded.length), 32);
  const nativeId =
    draft.nativeId === null || draft.nativeId === undefined || draft.nativeId === '' ? null : draft.nativeId;
  const promptCounts = measureEncoded(prompt, encoded, 0, promptEnd);
  const reasoningCounts = reasoning === null ? empty : measureEncoded(reasoning, encoded, reasoningStart, reasoningEnd);
  const answerCounts = answer === null ? empty : measureEncoded(answer, encoded, answerStart, answerEnd);
  return {
    contentKey,
    size: promptCounts.units + reasoningCounts.units + answerCounts.units + metadata.length,
    utf8: {
      prompt: promptBytes,
      reasoning: reasoning === null ? null : bytes.subarray(reasoningStart, reasoningEnd),
      answer: answer === null ? null : bytes.subarray(answerStart, answerEnd),
    },
    row: {
      id: `${source.name}-${nativeId === null ? contentKey.slice(0, 16) : shortHash(String(nativeId), 16)}`,
      source: source.name,
      group: source.group,
      origin: { file, row: index },
      prompt,
      reasoning,
      answer,
      system,
      turns: draft.turns ?? 1,
      reference_answer: reference,
      options,
      model,
      language: languageOf(String(prompt)),
      complete: draft.trace.complete && isFinished(finishReason),
      finish_reason: finishReason,
      prompt_key: shortHash(promptBytes, 32),
      prompt_words: promptCounts.words,
      reasoning_words: reasoningCounts.words,
      answer_words: answerCounts.words,
      prompt_words_segmented: promptCounts.segmented,
      reasoning_words_segmented: reasoningCounts.segmented,
      answer_words_segmented: answerCounts.segmented,
      reasoning_waits: reasoningCounts.waits,
      answer_waits: answerCounts.waits,
      license,
      metadata,
    },
  };
}

/** Where a generator says why it stopped, only its own end counts. */
function isFinished(reason: string | null): boolean {
  return reason === null || reason === 'stop' || reason === 'eos_token' || reason === 'end_turn';
}

/** JSON of the fields that no column took. JSON escapes lone surrogates, so this is always well-formed. */
function metadataOf(value: Record<string, unknown>, draft: Draft, raw: Text | null): string {
  const rest = Object.create(null) as Record<string, unknown>;
  for (const [key, each] of Object.entries(value)) {
    if (each !== null && each !== undefined && !draft.used.includes(key)) rest[key] = each;
  }
  for (const [key, each] of Object.entries(draft.extra ?? {}))
    if (each !== null && each !== undefined) rest[key] = each;
  if (raw !== null) rest.raw = String(raw);
  try {
    return JSON.stringify(rest);
  } catch {
    throw new Unfit('nested too deep');
  }
}

function shortHash(text: string | Uint8Array, length: number): string {
  return hash('sha256', text, 'hex').slice(0, length);
}

function filledOrNull(text: string | null | undefined): string | null {
  const trimmed = strip(text ?? '');
  return trimmed === '' ? null : trimmed;
}

import type { Folded } from '../text/fold.js';
import type { WordVerdict } from './agreement.js';
import type { Field } from './fields.js';

/**
 * Where two stretches meet, the first may have taken the beginning of a word that stands whole before the second: what
 * comes between begins with the same letter.
 */
export function mendSeam({ symbols }: Field, word: Field['words'][number], text: Folded, places: Int32Array): void {
  const { start, end } = word;
  let seam = start + 1;
  while (seam < end && places[seam] === (places[seam - 1] as number) + 1) seam += 1;
  const first = (places[seam] ?? -1) - (seam - start);
  if (first < 0 || first === places[start] || places[start] === -1 || text.begins[first] !== 1) return;
  // Whole where it stands: not the beginning of something else.
  if (seam === end && text.begins[(places[seam - 1] as number) + 1] === 1) return;
  for (let at = start; at < seam; at += 1) if (text.symbols[first + at - start] !== symbols[at]) return;
  for (let at = start; at < seam; at += 1) places[at] = first + at - start;
}

/**
 * Words of what comes before a question may stand in the missing first part of it by accident ("the", "following"): they are
 * no part of the place.
 */
export function forgetStrays({ words }: Field, verdicts: WordVerdict[]): void {
  let sum = 0;
  let lost = 0;
  let until = 0;
  words.forEach(({ nats }, index) => {
    sum += verdicts[index] === 'missing' ? nats : -3 * nats;
    if (sum <= lost) return;
    lost = sum;
    until = index + 1;
  });
  if (lost >= leastLost) verdicts.fill('missing', 0, until);
}

// ---------------------------------------------------------------------------------------------------------------------

/** What the first part of a question must say, in nats, for words in it to be strays. */
const leastLost = 10;

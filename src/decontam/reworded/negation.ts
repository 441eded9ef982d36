/** Asks for what is not so: "which is NOT", "all EXCEPT", "point out the option that doesn't apply". */
const negation =
  /\b(?:not|except|exception|excepting|least|false|incorrect(?:ly)?|untrue|wrong|never|cannot|\p{L}+n['’]t|fails?|lacks?|excluded|apart from|but one|neither|unlikely|inaccurate)\b/iu;

/** A last sentence shorter than this ("Explain.") is looked at with the one before it, and no more than so much of a long one. */
const leastCharacters = 25;
const mostCharacters = 400;

/** Whether the question at the end of a text is negated. A vignette that tells what a patient has not is not. */
export function negates(text: string): boolean {
  const tail = text.slice(-mostCharacters).trimEnd();
  const head = tail.slice(0, Math.max(0, tail.length - leastCharacters));
  const end = [...head.matchAll(/[.?!\n]\s/g)].at(-1);
  return negation.test(end === undefined ? tail : tail.slice(end.index + 1));
}

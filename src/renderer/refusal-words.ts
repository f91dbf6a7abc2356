// A refusal as a reader meets it: what is wrong first, the place in the recipe after it.
import type { Refusal } from '../contract/words/refusal';

/** *steps[0].params.bits: 3 is not one of 2, 4, 8* → *3 is not one of 2, 4, 8.* */
export function sentenceOf({ sentence, place }: Refusal): string {
  const bare = place && sentence.startsWith(`${place}: `) ? sentence.slice(place.length + 2) : sentence;
  return /[.!?]$/.test(bare) ? bare : `${bare}.`;
}

/** The bold sentence, and the reason that follows it. */
export function headAndReason(refusal: Refusal): [head: string, reason: string] {
  const sentence = sentenceOf(refusal);
  const end = sentence.search(/[.:] /);
  return end < 0 ? [sentence, ''] : [`${sentence.slice(0, end)}.`, begun(sentence.slice(end + 2))];
}

/** What followed a colon now begins a sentence; a name in code stays as it is. */
const begun = (text: string): string => (/^[a-z]+[ ,]/.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text);

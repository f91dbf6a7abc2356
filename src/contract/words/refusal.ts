// Refusal: an expected "no". A value with a code, a sentence and, where there is one, the mend.
import { z } from 'zod';

/** Every code a script may meet. The first eleven are promised by the command line's documentation. */
export const refusalCodes = [
  'usage',
  'bad-model',
  'bad-recipe',
  'bad-dataset',
  'bad-bundle',
  'not-found',
  'does-not-fit',
  'unsupported',
  'cancelled',
  'engine-died',
  'disk-full',
  'changed',
  'busy',
  'exists',
  'failed',
] as const;

export const refusalCode = z.enum(refusalCodes);
export type RefusalCode = z.infer<typeof refusalCode>;

export const refusal = z.object({
  code: refusalCode,
  /** A plain sentence naming the user's object. */
  sentence: z.string(),
  /** What the user can do about it. */
  mend: z.string().optional(),
  /** The place in a recipe or dataset, e.g. `steps[0].params.bits`. */
  place: z.string().optional(),
});
export type Refusal = z.infer<typeof refusal>;

/** Carries a refusal up a call stack; every host turns it back into the value. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.sentence);
    this.name = 'Refused';
    this.refusal = refusal;
  }
}

/** Throws a refusal. */
export function refuse(code: RefusalCode, sentence: string, mend?: string, place?: string): never {
  throw new Refused({ code, sentence, ...(mend ? { mend } : {}), ...(place ? { place } : {}) });
}

// Failure: the world said no where it should not have. Carries the sentence, what was being done, and what was done before.

export class Failure extends Error {
  /** For the user: a plain sentence naming their object. */
  readonly sentence: string;
  /** What was being done: "loading the model", "layer conv_3". */
  readonly doing: string;
  /** Steps of the recipe that had ended before, in order. */
  readonly before: readonly string[];

  constructor(sentence: string, doing: string, options: { cause?: unknown; before?: readonly string[] } = {}) {
    super(sentence, { cause: options.cause });
    this.name = 'Failure';
    this.sentence = sentence;
    this.doing = doing;
    this.before = options.before ?? [];
  }
}

/** The runtime's own words, without its source path and line, one line. */
export function runtimeReason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = text.replace(/\s+/g, ' ').trim();
  return line.replace(/\/\S+\.(cc|h|cpp):\d+ /g, '').slice(0, 400);
}

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

/** Where the runtime was when it stopped: `void onnxruntime::load(const Model&) `, and the file it was asked for. */
const whereabouts = [
  /^Load model from .*? failed: ?/,
  /^(Fatal error|Exception): /,
  /^[\w:<>,* ]*onnxruntime::.*?\) (?=[A-Z[])/,
];

/** The runtime's own words, without its source path and line, one line. */
export function runtimeReason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const line = text.replace(/\s+/g, ' ').trim();
  const plain = line.replace(/\/\S+\.(cc|h|cpp):\d+ /g, '');
  return whereabouts.reduce((words, where) => words.replace(where, ''), plain).slice(0, 400);
}

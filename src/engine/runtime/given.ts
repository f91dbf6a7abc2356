// A model as the user gave it: what the runtime will not load of it is a refusal; of a model that we wrote, a failure of ours.
import { Refused } from '../../contract/words/refusal';
import { Failure } from './failure';
import { openSession, type Session, type SessionOptions } from './session';

/** The runtime's words for what it lacks, as against what is wrong with the model. */
const isLacking = /not a registered function|No Op registered|NOT_IMPLEMENTED|could not find an implementation|opset/i;
/** Memory is short, or the disk is: not the model's fault. */
export function isMachines({ sentence }: Failure): boolean {
  return /bad_alloc|allocat|out of memory|No space left|Permission denied/i.test(sentence);
}

/** `name` is the model's, for the sentence. */
export async function openGiven(path: string, name: string, options: SessionOptions = {}): Promise<Session> {
  try {
    return await openSession(path, options);
  } catch (error) {
    if (!(error instanceof Failure) || isMachines(error)) throw error;
    const [what, ...reason] = error.sentence.split(': ');
    throw new Refused({
      code: isLacking.test(error.sentence) ? 'unsupported' : 'bad-model',
      sentence: `${name} does not run here. ${what}: ${reason.join(': ')}`,
      mend: 'It can be inspected. To be compressed, measured or exported it has to load in onnxruntime.',
    });
  }
}

/** What stands in the way of a model made from `given`: the given one, where it does not load either, else `error` itself. */
export async function blame(error: unknown, given: string, name: string): Promise<never> {
  if (error instanceof Failure) await (await openGiven(given, name, { level: 'disabled' })).close();
  throw error;
}

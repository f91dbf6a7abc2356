// Failure: what went wrong, as a sentence for the user; the stack goes to the log and nowhere else.
import { type Refusal, Refused } from '../../contract/words/refusal';

/** A refusal that was thrown, a full disk, or a file that is not there; null when the cause is ours or the world's. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof Refused) return error.refusal;
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  const at = path ? ` at ${path}` : '';
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return {
        code: 'disk-full',
        sentence: `The disk is full${at}. Nothing half-written was kept.`,
        mend: 'Make room, or use a workspace on another disk.',
      };
    case 'SQLITE_FULL':
      return {
        code: 'disk-full',
        sentence: 'The disk that holds the workspace is full.',
        mend: 'Make room, or use a workspace on another disk.',
      };
    case 'ENOENT':
      return path ? { code: 'not-found', sentence: `There is nothing${at}.` } : null;
    case 'EACCES':
    case 'EPERM':
      return path ? { code: 'failed', sentence: `The system does not allow access${at}.` } : null;
    default:
      return null;
  }
}

/** One line without a stack; long texts of the runtime are cut. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.split('\n')[0]!.trim();
  return line.length > 400 ? `${line.slice(0, 400)}…` : line || 'Something failed without saying why.';
}

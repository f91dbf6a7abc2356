// Exit codes and refusals: turns whatever went wrong into the promised number and one sentence, never a stack trace.
import { ORPCError } from '@orpc/client';
import { CommanderError } from 'commander';
import { type Refusal, type RefusalCode, Refused, refusal } from '../../contract/words/refusal';

export const exit = { done: 0, failure: 1, usage: 2, no: 3, interrupted: 130 } as const;

/** What is ours or the machine's fault; every other code is an honest "no". */
const failures: ReadonlySet<RefusalCode> = new Set(['failed', 'engine-died', 'disk-full']);

export function exitCodeOf({ code }: Refusal): number {
  if (code === 'usage') return exit.usage;
  if (code === 'cancelled') return exit.interrupted;
  return failures.has(code) ? exit.failure : exit.no;
}

export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  if (error instanceof CommanderError) return { code: 'usage', ...usageSentence(error.message) };
  if (error instanceof ORPCError) {
    const given = refusal.safeParse(error.data);
    if (given.success) return given.data;
    if (error.code === 'BAD_REQUEST') return { code: 'usage', sentence: badInput(error) };
    return { code: 'failed', sentence: 'Lathe failed: the cause is in the log file of the workspace.' };
  }
  if (error instanceof Error && error.name === 'AbortError') return { code: 'cancelled', sentence: 'Cancelled.' };
  const { code, path, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return { code: 'disk-full', sentence: `The disk is full${path ? `: ${path}` : ''}.` };
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return { code: 'failed', sentence: `${path ?? 'A file'} may not be read or written.` };
  if ((code === 'ENOENT' || code === 'ENOTDIR') && path)
    return { code: 'failed', sentence: `There is no folder for ${path.replace(/\.partial-\d+$/, '')}.` };
  const first = String(message ?? error).split('\n')[0];
  return { code: 'failed', sentence: `Lathe failed: ${first}` };
}

/** "error: unknown command 'x'\n(Did you mean y?)" → a sentence and a mend. */
function usageSentence(message: string): { sentence: string; mend?: string } {
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n');
  const sentence = first.charAt(0).toUpperCase() + first.slice(1);
  const hint = more
    .join(' ')
    .trim()
    .replace(/^\(|\)$/g, '');
  return { sentence: /[.?!]$/.test(sentence) ? sentence : `${sentence}.`, ...(hint ? { mend: hint } : {}) };
}

function badInput(error: ORPCError<string, unknown>): string {
  const { issues } = (error.data ?? {}) as { issues?: readonly { message: string; path?: readonly unknown[] }[] };
  const first = issues?.[0];
  if (!first) return 'The request is not right.';
  const place = (first.path ?? []).join('.');
  return `${place ? `${place}: ` : ''}${first.message}.`;
}

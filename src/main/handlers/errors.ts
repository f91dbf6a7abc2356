// Errors at the border: a refusal crosses as data; everything else becomes one sentence, and its stack stays in the log.
import { mapEventIterator, ORPCError } from '@orpc/client';
import type { Refusal } from '../../contract/words/refusal';
import { messageOf, refusalOf } from '../jobs/failure';
import type { LogFile } from '../jobs/log-file';
import { EngineFailure } from '../jobs/pipe';

/** Runs a procedure; whatever it throws, now or while it streams, leaves as `REFUSED`. */
export async function asRefusals<T>(path: readonly string[], log: LogFile, work: () => Promise<T>): Promise<T> {
  const refused = (error: unknown) => refusedError(error, path.join('.'), log);
  try {
    return await work();
  } catch (error) {
    throw refused(error);
  }
}

export function streamAsRefusals<T extends AsyncIterator<unknown, unknown, void>>(
  path: readonly string[],
  log: LogFile,
  iterator: T,
): AsyncIterator<unknown, unknown, void> {
  return mapEventIterator(iterator, {
    value: async (value: unknown) => value,
    error: async (error) => refusedError(error, path.join('.'), log),
  });
}

function refusedError(error: unknown, procedure: string, log: LogFile): ORPCError<string, unknown> {
  if (error instanceof ORPCError) {
    // Thrown here already, or input that the contract does not allow: the transport says which.
    if (error.code === 'REFUSED') return error;
    if (error.code === 'BAD_REQUEST') return asError({ code: 'usage', sentence: inputSentence(error) });
  }
  const refusal = refusalOf(error);
  if (refusal) return asError(refusal);
  const inner = error instanceof ORPCError ? (error.cause ?? error) : error;
  log.write(procedure, detailOf(inner));
  return asError({ code: 'failed', sentence: `${procedure} failed: ${messageOf(inner)}` });
}

function asError(refusal: Refusal): ORPCError<'REFUSED', Refusal> {
  return new ORPCError('REFUSED', { status: 422, message: refusal.sentence, data: refusal, defined: true });
}

function detailOf(error: unknown): string {
  if (error instanceof EngineFailure) return error.detail;
  if (!(error instanceof Error)) return String(error);
  const issues = (error as { issues?: unknown }).issues;
  return `${error.stack ?? error.message}${issues === undefined ? '' : `\n${JSON.stringify(issues)}`}`;
}

/** The first thing that is wrong, and where. */
function inputSentence(error: ORPCError<string, unknown>): string {
  const issues = (error.data as { issues?: { message: string; path?: unknown[] }[] } | undefined)?.issues;
  const first = issues?.[0];
  if (!first) return error.message;
  const place = (first.path ?? []).map((part) => String((part as { key?: unknown })?.key ?? part)).join('.');
  return place ? `${place}: ${first.message}` : first.message;
}

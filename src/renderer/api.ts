// The contract as functions (`api`) and as queries (`orpc`); what failed, in words.
import { createORPCClient, isDefinedError } from '@orpc/client';
import type { ContractRouterClient } from '@orpc/contract';
import { createTanstackQueryUtils } from '@orpc/tanstack-query';
import { QueryClient } from '@tanstack/react-query';
import type { Contract } from '../contract/contract';
import type { Refusal } from '../contract/words/refusal';
import { openLink } from './connection';

export type Api = ContractRouterClient<Contract>;

export const api: Api = createORPCClient(openLink());
export const orpc = createTanstackQueryUtils(api);

/** Any error as the refusal it carries, else as a failure of ours in one sentence. */
export function refusalOf(error: unknown): Refusal {
  const thrown = error as Error & { data?: unknown };
  if (isDefinedError(thrown)) return (thrown as unknown as { data: Refusal }).data;
  if (thrown?.name === 'AbortError') return { code: 'cancelled', sentence: 'This was cancelled.' };
  if (/closed or aborted|not open/i.test(thrown?.message ?? ''))
    return { code: 'failed', sentence: 'The connection to the workbench broke off.', mend: 'Try again.' };
  return {
    code: 'failed',
    sentence: 'The workbench stopped at this request. Your models and runs are untouched.',
    mend: 'Try again.',
  };
}

/** A refusal will not change by asking again; a broken wire will. */
const worthRepeating = (failures: number, error: unknown) => failures < 3 && refusalOf(error).mend === 'Try again.';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { retry: worthRepeating, retryDelay: 400, staleTime: 30_000, refetchOnWindowFocus: false },
    mutations: { retry: false },
  },
});

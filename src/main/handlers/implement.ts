// The contract, ready to be implemented: every procedure gets the services and leaves its errors at the border.
import { implement } from '@orpc/server';
import { contract } from '../../contract/contract';
import { asRefusals, streamAsRefusals } from './errors';
import type { Services } from './services';

const os = implement(contract).$context<Services>();

export const api = os.use(async ({ context, path, next }) => {
  const result = await asRefusals(path, context.log, async () => next());
  const { output } = result;
  if (!isIterator(output)) return result;
  return { ...result, output: streamAsRefusals(path, context.log, output) as typeof output };
});

function isIterator(value: unknown): value is AsyncIterator<unknown, unknown, void> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

// Methods: the cards, as the engine's build described them.
import { api } from './implement';

export const methods = {
  list: api.methods.list.handler(async ({ context }) => [...(await context.describe()).methods]),
};

// What a MODEL, DATASET or recipe on the command line names: a path first, else an id or its prefix.
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { LibraryModel } from '../../contract/words/model';
import { refuse } from '../../contract/words/refusal';
import type { Client } from './command';

const mostRecipeBytes = 4 << 20;
const looksLikeId = (text: string) => /^[\w-]{6,}$/.test(text);

/** Opens MODEL; a name without a file of that name may be the id of a model or run. */
export function openModel(client: Client, given: string): Promise<LibraryModel> {
  const path = resolve(given);
  return client.models.open({ path: !existsSync(path) && looksLikeId(given) ? given : path });
}

/** The dataset's id in the library. */
export async function openDataset(client: Client, given: string): Promise<string> {
  return (await client.datasets.open({ path: resolve(given) })).id;
}

/** The recipe's JSON as it is; what it says is judged by the router. */
export async function readRecipe(given: string): Promise<unknown> {
  const path = resolve(given);
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) refuse('not-found', `There is no recipe file ${given}.`);
  if (found.size > mostRecipeBytes) refuse('bad-recipe', `${given} is too large for a recipe.`);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse('bad-recipe', `${given} is not JSON: ${error.message.split('\n')[0]}.`);
  }
}

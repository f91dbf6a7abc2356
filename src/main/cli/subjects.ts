// What a MODEL, DATASET, recipe or preset on the command line names: a path first, else an id or its prefix.
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { type InputSpec, inputSpec } from '../../contract/words/dataset';
import { sayIssue } from '../../contract/words/issue';
import type { LibraryModel } from '../../contract/words/model';
import { type RefusalCode, refuse } from '../../contract/words/refusal';
import { type Client, named } from './command';

const mostJsonBytes = 4 << 20;
const looksLikeId = (text: string) => /^[\w-]{6,}$/.test(text);

export const presetOption = {
  flags: '--preset <file>',
  help: 'how this model wants its inputs: overrides `inputs` of the dataset',
  parse: named,
} as const;

/** Opens MODEL; a name without a file of that name may be the id of a model or run. */
export function openModel(client: Client, given: string): Promise<LibraryModel> {
  const path = resolve(given);
  return client.models.open({ path: !existsSync(path) && looksLikeId(given) ? given : path });
}

/** The dataset's id in the library; a preset says how one model wants its inputs. */
export async function openDataset(client: Client, given: string, preset?: string): Promise<string> {
  const path = resolve(given);
  const inputs = preset === undefined ? undefined : await readPreset(preset);
  return (await client.datasets.open({ path, ...(inputs ? { preset: inputs } : {}) })).id;
}

/** The recipe's JSON as it is; what it says is judged by the router. */
export function readRecipe(given: string): Promise<unknown> {
  return readJson(given, 'recipe', 'bad-recipe');
}

const presetFile = z.strictObject({ lathe: z.literal(1).optional(), inputs: z.record(z.string(), inputSpec) });

/** The `inputs` of a dataset.json, alone or under their name. */
async function readPreset(given: string): Promise<Record<string, InputSpec>> {
  const value = await readJson(given, 'preset', 'bad-dataset');
  const isNamed = typeof value === 'object' && value !== null && 'inputs' in value;
  const parsed = presetFile.safeParse(isNamed ? value : { inputs: value });
  if (parsed.success) return parsed.data.inputs;
  const { place, sentence } = sayIssue(parsed.error);
  refuse('bad-dataset', `${given}: ${sentence}.`, undefined, place);
}

async function readJson(given: string, what: string, code: RefusalCode): Promise<unknown> {
  const path = resolve(given);
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) refuse('not-found', `There is no ${what} file ${given}.`);
  if (found.size > mostJsonBytes) refuse(code, `${given} is too large for a ${what}.`);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse(code, `${given} is not JSON: ${error.message.split('\n')[0]}.`);
  }
}

// `lathe history`: past runs, newest first.
import type { RunRow } from '../../../contract/words/run';
import { type CommandSpec, whole } from '../command';
import { numberText, sizeText, table } from '../print';

const listedWithoutLimit = 1000;

export const historyList: CommandSpec = {
  name: 'history list',
  help: 'past runs, newest first',
  options: [{ flags: '--limit <n>', help: 'at most n runs', parse: whole(1) }],
  isDefault: true,
  async run(session, _args, { limit }) {
    const rows = await (await session.client()).runs.list({ limit: Number(limit ?? listedWithoutLimit) });
    return { document: { runs: rows.map(toEntry) }, text: toText(rows) };
  },
};

const toEntry = ({
  id,
  number,
  kind,
  state,
  createdAt,
  model,
  recipe,
  dataset,
  bytes,
  metric,
  value,
  parentId,
}: RunRow) => ({
  id,
  number,
  kind,
  state,
  createdAt,
  model,
  recipe,
  dataset,
  bytes,
  metric,
  value,
  ...(parentId === undefined ? {} : { parentId }),
});

function toText(rows: readonly RunRow[]): string {
  if (rows.length === 0) return 'No runs yet.';
  const cells = rows.map((row) => [
    row.id,
    row.state,
    row.createdAt.slice(0, 16).replace('T', ' '),
    row.model,
    row.kind === 'evaluate'
      ? 'evaluated as it is'
      : (row.recipe.name ?? row.recipe.steps.map((step) => step.method).join(', ')),
    row.bytes === null ? '–' : sizeText(row.bytes),
    row.metric ?? '–',
    numberText(row.value),
  ]);
  return table(['run', 'state', 'created', 'model', 'recipe', 'bytes ', 'metric', 'value '], cells);
}

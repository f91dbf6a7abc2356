// `lathe run`: compress, measure, remember; with --dry-run only what it would need.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RunForecast } from '../../../contract/words/recipe';
import { refuse } from '../../../contract/words/refusal';
import type { RunDocument } from '../../../contract/words/run';
import { type Answer, type Client, type CommandSpec, named, type Session, whole } from '../command';
import { follow } from '../follow';
import { checkOutFolder, writeOutFolder } from '../out-folder';
import { durationText, numberText, sizeText, table } from '../print';
import { openDataset, openModel, presetOption, readRecipe } from '../subjects';
import { evaluationText } from './evaluate';

export const run: CommandSpec = {
  name: 'run <model>',
  help: 'compresses a model by a recipe, measures it and remembers it',
  options: [
    { flags: '--recipe <file>', help: 'the recipe, JSON', parse: named, required: true },
    { flags: '--data <dataset>', help: 'measures quality before and after on it', parse: named },
    presetOption,
    {
      flags: '--seed <n>',
      help: 'seed of everything that is drawn (default: of the recipe)',
      parse: whole(0, 0xffffffff),
    },
    { flags: '--limit <n>', help: 'measures on the first n samples only', parse: whole(1) },
    { flags: '--out <dir>', help: "receives the artifact's files and run.json; absent or empty", parse: named },
    { flags: '--dry-run', help: 'tells memory, disk and time, and does nothing' },
  ],
  async run(session, [given = ''], { recipe: file, data, preset, seed, limit, out, dryRun }) {
    if (preset !== undefined && data === undefined)
      refuse('usage', 'A preset says how samples are prepared, and there are none.', 'Name them with --data.');
    const recipe = await readRecipe(String(file));
    if (out !== undefined) await checkOutFolder(String(out));
    const client = await session.client();
    const model = await openModel(client, given);
    const datasetId =
      data === undefined ? undefined : await openDataset(client, String(data), preset as string | undefined);
    if (dryRun) {
      const document = await client.recipes.forecast({ modelId: model.id, recipe, datasetId });
      return { document, text: forecastText(document) };
    }
    const { id } = await client.runs.start({
      modelId: model.id,
      recipe,
      datasetId,
      seed: seed as number | undefined,
      limit: limit as number | undefined,
    });
    return finish(session, client, id, out);
  },
};

/** Follows a run to its end and hands its artifact out. */
export async function finish(session: Session, client: Client, id: string, out: unknown): Promise<Answer> {
  await follow(client, id);
  const document = await client.runs.document({ id });
  if (out !== undefined) await writeOutFolder(String(out), await artifactFolder(document), document, session.signal);
  return { document, text: runText(document) };
}

/** `artifact.path` is the model file, or the folder of several. */
async function artifactFolder({ artifact }: RunDocument): Promise<string> {
  return (await stat(artifact.path)).isDirectory() ? artifact.path : dirname(artifact.path);
}

function forecastText(forecast: RunForecast): string {
  const rows = forecast.layers.map((layer) => [
    layer.name,
    layer.methods.join(', ') || 'kept',
    layer.bitsAfter,
    sizeText(layer.bytesBefore),
    sizeText(layer.bytesAfter),
    layer.refusal?.sentence ?? '',
  ]);
  return [
    `Predicted: ${sizeText(forecast.bytesBefore)} becomes ${sizeText(forecast.bytesAfter)} in ${durationText(forecast.seconds)}.`,
    `It needs ${sizeText(forecast.peakBytes)} of memory and ${sizeText(forecast.diskBytes)} of disk; ${sizeText(forecast.freeMemoryBytes)} and ${sizeText(forecast.freeDiskBytes)} are free.`,
    ...forecast.sentences,
    '',
    table(['layer', 'methods', 'bits ', 'before ', 'after ', 'why not'], rows),
  ].join('\n');
}

export function runText(document: RunDocument): string {
  const { run, artifact, baseline, compressed, layers, fused } = document;
  const rows = layers.map((layer) => [
    layer.name,
    layer.methods.join(', ') || 'kept',
    layer.bits ?? '–',
    sizeText(layer.bytesBefore),
    sizeText(layer.bytesAfter),
    numberText(layer.sqnrDb),
    layer.refusal?.sentence ?? '',
  ]);
  const operators = Object.entries(fused).map(([op, count]) => `${count} ${op}`);
  return [
    `Run ${run.id}, ${durationText(document.seconds)}, ${sizeText(document.peakBytes)} of memory at most.`,
    `Artifact ${artifact.path}, ${sizeText(artifact.bytes)}, ${artifact.sha256}`,
    operators.length > 0 ? `Fused: ${operators.join(', ')}.` : 'Nothing fused.',
    ...(baseline ? ['', 'Before:', evaluationText(baseline)] : []),
    ...(compressed ? ['', 'After:', evaluationText(compressed)] : []),
    '',
    table(['layer', 'methods', 'bits ', 'before ', 'after ', 'SQNR dB ', 'why not'], rows),
    ...document.notes,
  ].join('\n');
}

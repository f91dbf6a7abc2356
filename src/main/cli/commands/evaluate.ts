// `lathe evaluate`: quality and speed of a model as it is.
import { splitNames } from '../../../contract/words/dataset';
import type { Evaluation } from '../../../contract/words/quality';
import { type CommandSpec, choice, named, whole } from '../command';
import { follow } from '../follow';
import { numberText, sizeText } from '../print';
import { openDataset, openModel, presetOption } from '../subjects';

export const evaluate: CommandSpec = {
  name: 'evaluate <model>',
  help: 'quality and speed of a model as it is',
  options: [
    { flags: '--data <dataset>', help: 'a dataset.json, a folder with one, or data', parse: named, required: true },
    presetOption,
    { flags: '--split <name>', help: `one of ${splitNames.join(', ')} (default: test)`, parse: choice(...splitNames) },
    { flags: '--limit <n>', help: 'the first n samples only', parse: whole(1) },
    { flags: '--batch <n>', help: 'samples at once', parse: whole(1, 65536) },
    { flags: '--threads <n>', help: 'threads of the runtime (default: physical cores)', parse: whole(1, 1024) },
    { flags: '--against <model>', help: 'compares the answers with those of another model', parse: named },
  ],
  async run(session, [given = ''], { data, preset, split, limit, batch, threads, against }) {
    const client = await session.client();
    const model = await openModel(client, given);
    const other = against === undefined ? undefined : await openModel(client, String(against));
    const datasetId = await openDataset(client, String(data), preset as string | undefined);
    const { id } = await client.runs.evaluate({
      modelId: model.id,
      datasetId,
      split: split as (typeof splitNames)[number] | undefined,
      limit: limit as number | undefined,
      batch: batch as number | undefined,
      threads: threads as number | undefined,
      against: other?.id,
    });
    await follow(client, id);
    const document = await client.runs.evaluation({ id });
    return { document, text: evaluationText(document) };
  },
};

export function evaluationText({ quality, latencyMs, bytes, agreement, notes }: Evaluation): string {
  const isFraction = ['accuracy', 'top5', 'agreement'].includes(quality.metric);
  const shown = (value: number) => (isFraction ? `${numberText(value * 100)} %` : numberText(value));
  const [low, high] = quality.ci95;
  const right = quality.correct === undefined ? '' : `, ${quality.correct} of ${quality.n} right`;
  return [
    `${quality.metric} ${shown(quality.value)} (95 %: ${shown(low)} to ${shown(high)}, n = ${quality.n}${right})`,
    latencyMs
      ? `latency ${numberText(latencyMs.p50)} ms median, ${numberText(latencyMs.p95)} ms p95 (batch ${latencyMs.batch}, ${latencyMs.threads} threads, ${latencyMs.runs} runs)`
      : 'latency not measured',
    `size ${sizeText(bytes)}`,
    ...(agreement ? [`answers changed: ${agreement.flips} of ${agreement.n}`] : []),
    ...notes,
  ].join('\n');
}

// Runs: queued, watched, ended early, repeated, looked back on.
import type { Recipe } from '../../contract/words/recipe';
import { Refused, refuse } from '../../contract/words/refusal';
import type { RunDocument, RunEvent } from '../../contract/words/run';
import type { RunRecord } from '../history/runs';
import { stoppedNote } from '../jobs/compress';
import { differences } from '../jobs/machine';
import { csvOf } from './csv';
import { api } from './implement';
import type { Services } from './services';
import { stream } from './stream';

export const runs = {
  start: api.runs.start.handler(async ({ context, input }) => {
    const model = context.library.models.get(input.modelId);
    const dataset = input.datasetId === undefined ? null : context.library.datasets.get(input.datasetId);
    const recipe = await context.desk.ask('checkRecipe', { recipe: input.recipe });
    const id = context.queue.add({
      kind: 'compress',
      modelId: model.id,
      model: model.name,
      recipe,
      datasetId: dataset?.id ?? null,
      dataset: dataset?.summary.name ?? null,
      seed: input.seed ?? recipe.seed ?? 0,
      parentId: model.runId,
      ask: input.limit === undefined ? {} : { limit: input.limit },
    });
    return { id };
  }),

  evaluate: api.runs.evaluate.handler(async ({ context, input }) => {
    const model = context.library.models.get(input.modelId);
    const dataset = context.library.datasets.get(input.datasetId);
    const { split, limit, batch, threads } = input;
    const id = context.queue.add({
      kind: 'evaluate',
      modelId: model.id,
      model: model.name,
      recipe: { lathe: 1, steps: [] },
      datasetId: dataset.id,
      dataset: dataset.summary.name,
      seed: 0,
      parentId: model.runId,
      ask: {
        ...(split === undefined ? {} : { split }),
        ...(limit === undefined ? {} : { limit }),
        ...(batch === undefined ? {} : { batch }),
        ...(threads === undefined ? {} : { threads }),
        ...(input.against === undefined ? {} : { againstId: context.library.models.get(input.against).id }),
      },
    });
    return { id };
  }),

  replay: api.runs.replay.handler(async ({ context, input }) => {
    const { row, ask } = findRun(context, input.id);
    const before = documentOf(row.number, row.document);
    const model = modelOf(context, row.modelId, before);
    const dataset = (await needsData(context, row.recipe)) ? datasetOf(context, row.datasetId, before) : null;
    const id = context.queue.add({
      kind: 'replay',
      modelId: model.id,
      model: model.name,
      recipe: row.recipe,
      datasetId: dataset?.id ?? null,
      dataset: dataset?.summary.name ?? null,
      seed: row.seed,
      parentId: row.parentId ?? null,
      ask: { replayOf: row.id, ...(ask.limit === undefined ? {} : { limit: ask.limit }) },
    });
    await context.queue.ended(id);
    const { row: again } = context.history.runs.get(id)!;
    if (again.document === null)
      throw new Refused(again.error ?? { code: 'failed', sentence: 'The replay has no result.' });
    const [expected, actual] = [before.artifact.sha256, again.document.artifact.sha256];
    const identical = expected === actual;
    const why = identical ? {} : { why: reasons(before, again.document, dataset !== null) };
    return { identical, expected, actual, ...why, runId: id };
  }),

  checkpoint: api.runs.checkpoint.handler(async ({ context, input }) =>
    context.library.checkpoint(findRun(context, input.id).row),
  ),

  resume: api.runs.resume.handler(async ({ context, input }) => {
    const { row, ask } = findRun(context, input.id);
    const checkpoint = await context.library.checkpoint(row);
    if (!checkpoint)
      refuse(
        'not-found',
        `Run ${row.number} has left no checkpoint.`,
        'Start it again: the same recipe and seed give the same bytes.',
      );
    const model = context.library.models.get(row.modelId);
    const id = context.queue.add({
      kind: row.kind,
      modelId: model.id,
      model: model.name,
      recipe: row.recipe,
      datasetId: row.datasetId,
      dataset: row.dataset,
      seed: row.seed,
      parentId: row.parentId ?? null,
      ask: { ...ask, resumes: row.id },
    });
    return { id };
  }),

  discard: api.runs.discard.handler(async ({ context, input }) => ({
    freedBytes: await context.library.discard(findRun(context, input.id).row),
  })),

  list: api.runs.list.handler(async ({ context, input }) => context.history.runs.list(input).map(({ row }) => row)),

  get: api.runs.get.handler(async ({ context, input }) => findRun(context, input.id).row),

  document: api.runs.document.handler(async ({ context, input }) => {
    const { row } = findRun(context, input.id);
    return documentOf(row.number, row.document);
  }),

  evaluation: api.runs.evaluation.handler(async ({ context, input }) => {
    const { row, evaluation } = findRun(context, input.id);
    return evaluation ?? row.document?.compressed ?? refuse('not-found', `Run ${row.number} has measured no quality.`);
  }),

  log: api.runs.log.handler(async ({ context, input }) => context.history.logs.of(findRun(context, input.id).row.id)),

  curves: api.runs.curves.handler(async ({ context, input }) => [
    ...context.queue.curves(findRun(context, input.id).row.id),
  ]),

  watch: api.runs.watch.handler(async ({ context: { history, queue } }) =>
    stream<RunEvent>((sink) => {
      const ends = [
        history.subscribe((change) => {
          if (change.noun === 'log') sink.tell({ kind: 'log', id: change.id, line: change.line });
          else if (change.noun === 'run' && change.kind === 'removed') sink.tell({ kind: 'removed', id: change.id });
          else if (change.noun === 'run') {
            const run = history.runs.get(change.id);
            if (run) sink.tell({ kind: 'row', row: run.row });
          }
        }),
        queue.listen({
          progress: (id, progress) => sink.tell({ kind: 'progress', id, progress }),
          curve: (id, point) => sink.tell({ kind: 'curve', id, point }),
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    }),
  ),

  cancel: api.runs.cancel.handler(({ context, input }) => context.queue.cancel(findRun(context, input.id).row.id)),

  stop: api.runs.stop.handler(async ({ context, input }) => context.queue.stop(findRun(context, input.id).row.id)),

  csv: api.runs.csv.handler(async ({ context }) => csvOf(context.history.runs.list())),
};

/** By the beginning of its id, or of the id of the model it made. */
export function findRun({ history }: Services, id: string): RunRecord {
  const run = history.runs.get(id) ?? history.runs.byPrefix(id);
  if (run) return run;
  const runId = history.models.byPrefix(id)?.runId;
  return (runId && history.runs.get(runId)) || refuse('not-found', `There is no run ${id}.`);
}

function documentOf(number: number, document: RunDocument | null): RunDocument {
  return document ?? refuse('not-found', `Run ${number} has left no artifact.`);
}

/** The model with the content that the run read, wherever it is now. */
function modelOf({ history, library }: Services, modelId: string, { run }: RunDocument) {
  const known = history.models.get(modelId);
  if (known?.sha256 === run.modelSha256) return known;
  const [same] = history.models.bySha256(run.modelSha256);
  return same
    ? library.models.get(same.id)
    : refuse('not-found', 'The model of this run is no longer in the library.', 'Open it again.');
}

function datasetOf({ library }: Services, datasetId: string | null, { run }: RunDocument) {
  if (datasetId === null) return null;
  const dataset = library.datasets.get(datasetId);
  if (dataset.fingerprint !== run.dataset?.fingerprint) {
    refuse('changed', `The dataset ${dataset.summary.name} is no longer the one of this run.`);
  }
  return dataset;
}

/** Bytes depend on data only where a method looks at data; otherwise a replay need not measure anything again. */
async function needsData({ describe }: Services, recipe: Recipe): Promise<boolean> {
  const { methods } = await describe();
  return recipe.steps.some((step) =>
    methods.find(({ id }) => id === step.method)?.needs.some((need) => need !== 'weights'),
  );
}

function reasons(before: RunDocument, after: RunDocument, usedData: boolean): string[] {
  if (before.notes.includes(stoppedNote))
    return ['The run was stopped before its last step; the replay went on to the end.'];
  // A dataset that was left out because it plays no part is no difference.
  return differences(before.run, usedData ? after.run : { ...after.run, dataset: before.run.dataset });
}

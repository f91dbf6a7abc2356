// An evaluation as a job: the quality of a model as it is, kept so that later runs need not measure their parent again.
import type { DatasetRecord } from '../history/datasets';
import type { RunOutcome, RunRecord } from '../history/runs';
import { type HashedModel, referenceTo } from './compress';
import type { Job, Tools } from './job';

export async function evaluate(
  job: Job,
  run: RunRecord,
  model: HashedModel,
  dataset: DatasetRecord,
  tools: Tools,
): Promise<RunOutcome> {
  const { split, limit, batch, threads, againstId } = run.ask;
  const against = againstId === undefined ? undefined : await tools.library.models.hashed(againstId);
  if (against) await tools.library.models.settled(against);
  const { evaluation, comparison } = await job.ask('evaluate', {
    path: model.files[0]!.path,
    dataset: referenceTo(dataset),
    ...(split === undefined ? {} : { split }),
    ...(limit === undefined ? {} : { limit }),
    ...(batch === undefined ? {} : { batch }),
    ...(threads === undefined ? {} : { threads }),
    ...(against ? { against: against.files[0]!.path } : {}),
  });
  await tools.library.models.settled(model);
  // Only what a run would measure by itself can stand for its baseline.
  if (split === undefined && batch === undefined && threads === undefined && !against) {
    tools.history.baselines.put(
      {
        modelSha256: model.sha256,
        fingerprint: dataset.fingerprint,
        limit: limit ?? null,
        build: tools.build,
      },
      evaluation,
      new Date().toISOString(),
    );
  }
  return {
    document: null,
    evaluation: comparison ? { ...evaluation, agreement: comparison.agreement } : evaluation,
    artifactModelId: null,
    bytes: evaluation.bytes,
    metric: evaluation.quality.metric,
    value: evaluation.quality.value,
  };
}

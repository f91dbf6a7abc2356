// A compression from its start to a recorded artifact: asks the engine, takes the files into the library, writes the document.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileEntry } from '../../contract/words/model';
import { refuse } from '../../contract/words/refusal';
import type { RunDocument } from '../../contract/words/run';
import type { BaselineKey } from '../history/baselines';
import type { DatasetRecord } from '../history/datasets';
import type { KnownFile, ModelRecord } from '../history/models';
import type { RunOutcome, RunRecord } from '../history/runs';
import type { Library } from '../library';
import { checkpointKey } from '../library/checkpoints';
import { compare, identityOf, look } from '../library/identity';
import type { RunResult } from './engine-process';
import type { Job, Tools } from './job';

export const stoppedNote = 'Stopped before the last step; this is what was gained until then.';

export type HashedModel = ModelRecord & { readonly sha256: string; readonly entries: readonly FileEntry[] };

/** The model as it was opened, and its content's name as soon as that is known. */
export interface ModelToCompress {
  readonly seen: ModelRecord;
  readonly hashing: Promise<HashedModel>;
}

export async function compress(
  job: Job,
  run: RunRecord,
  { seen, hashing }: ModelToCompress,
  dataset: DatasetRecord | null,
  tools: Tools,
): Promise<RunOutcome> {
  const { history, library } = tools;
  const started = performance.now();
  const folder = join(library.jobs, run.row.id);
  if (run.ask.resumes !== undefined) await library.takeOver(run.ask.resumes, run.row.id);
  await mkdir(folder, { recursive: true });
  const key: BaselineKey | null = dataset && {
    modelSha256: (await hashing).sha256,
    fingerprint: dataset.fingerprint,
    limit: run.ask.limit ?? null,
    build: tools.build,
  };
  const known = key && history.baselines.get(key);
  const { recipe, seed } = run.row;
  let hashed: Promise<HashedFiles> | null = null;
  const result = await job.ask(
    'run',
    {
      path: seen.files[0]!.path,
      recipe,
      seed,
      folder,
      checkpoint: checkpointKey(seen.header, recipe, seed, dataset?.fingerprint ?? null, tools.build),
      ...(dataset ? { dataset: referenceTo(dataset) } : {}),
      ...(run.ask.limit === undefined ? {} : { limit: run.ask.limit }),
      ...(known ? { baseline: known.evaluation } : {}),
    },
    (event) => {
      if (event.kind !== 'written') return;
      hashed = hashFiles(join(folder, 'artifact'), event.files, library);
      hashed.catch(() => {});
    },
  );
  if (result.files.length === 0) refuse('cancelled', 'The run was stopped before anything was gained.');
  // The artifact must come from the content that was hashed.
  const model = await job.orCancelled(hashing);
  await library.models.settled(model);
  const artifact = await takeIn(join(folder, 'artifact'), result, hashed, job, tools);
  if (key && !known && result.baseline) history.baselines.put(key, result.baseline, new Date().toISOString());
  const document: RunDocument = {
    run: {
      id: run.row.id,
      ...(run.row.parentId === undefined ? {} : { parentId: run.row.parentId }),
      modelSha256: model.sha256,
      recipe: run.row.recipe,
      seed: run.row.seed,
      lathe: tools.version,
      machine: await tools.machine(),
      ...(dataset ? { dataset: { name: dataset.summary.name, fingerprint: dataset.fingerprint } } : {}),
      createdAt: run.row.createdAt,
    },
    artifact,
    ...(result.baseline ? { baseline: result.baseline } : {}),
    ...(result.compressed ? { compressed: result.compressed } : {}),
    ...(result.comparison ? { agreement: result.comparison.agreement, changed: [...result.comparison.changed] } : {}),
    layers: [...result.layers],
    fused: result.fused,
    notes: [
      ...result.notes,
      ...(known ? [`The baseline was measured on ${known.measuredAt} and is reused.`] : []),
      ...(result.stopped ? [stoppedNote] : []),
    ],
    ...(result.training ? { training: [...result.training] } : {}),
    seconds: (performance.now() - started) / 1000,
    stages: [...result.stages],
    peakBytes: job.peakBytes,
  };
  const kept = await keepModel(document, run, model, result, tools);
  return {
    document,
    evaluation: null,
    artifactModelId: kept,
    bytes: artifact.bytes,
    metric: result.compressed?.quality.metric ?? null,
    value: result.compressed?.quality.value ?? null,
  };
}

export function referenceTo(dataset: DatasetRecord) {
  return { path: dataset.path, ...(dataset.preset === null ? {} : { preset: dataset.preset }) };
}

type HashedFiles = readonly { readonly entry: FileEntry; readonly seen: KnownFile }[];

/** Named by what is on the disk, not by what was meant to be written. */
async function hashFiles(folder: string, names: readonly string[], library: Library): Promise<HashedFiles> {
  const seen = names.map((name) => look(join(folder, name)));
  const digests = await library.hash(seen);
  return names.map((path, index) => ({
    entry: { path, sha256: digests[index]!, bytes: seen[index]!.bytes },
    seen: seen[index]!,
  }));
}

/** From here on a cancel comes too late: the files are whole, and the row that names them follows at once. */
async function takeIn(
  folder: string,
  result: RunResult,
  hashed: Promise<HashedFiles> | null,
  job: Job,
  { library }: Tools,
): Promise<RunDocument['artifact']> {
  const names = result.files.map(({ path }) => path);
  const early = await hashed?.catch(() => null);
  const isSame = early?.every(({ seen }) => compare(seen) === 'same');
  const files = (early && isSame ? early : await hashFiles(folder, names, library)).map(({ entry }) => entry);
  const sha256 = identityOf(files);
  job.commit();
  const path = await library.store.adopt(
    folder,
    files.map((file) => file.path),
    sha256,
  );
  return { path, sha256, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files };
}

/** A replay that gave the same bytes shows the artifact that was there before. */
async function keepModel(
  document: RunDocument,
  run: RunRecord,
  model: ModelRecord,
  result: RunResult,
  { history, library }: Tools,
): Promise<string> {
  const { artifact } = document;
  if (run.row.kind === 'replay') {
    const same = history.models.bySha256(artifact.sha256).find((other) => other.origin === 'artifact');
    if (same) return same.id;
  }
  const methods = [...new Set(run.row.recipe.steps.map((step) => step.method))].join(' + ');
  const record = await library.models.addArtifact(join(artifact.path, result.files[0]!.path), {
    runId: run.row.id,
    name: `${model.name}, ${run.row.recipe.name ?? methods}`,
    sha256: artifact.sha256,
    entries: artifact.files,
  });
  return record.id;
}

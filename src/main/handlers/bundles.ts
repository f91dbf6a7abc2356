// Bundles: planned, written at the bench, verified.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import type { RunRow } from '../../contract/words/run';
import type { ModelRecord } from '../history/models';
import { referenceTo } from '../jobs/compress';
import { folderOf, nameInside } from '../library/identity';
import { makeFolder } from '../make-folder';
import { evidenceOf } from './evidence';
import { api } from './implement';
import type { Services } from './services';

export const bundles = {
  parts: api.bundles.parts.handler(async ({ context, input }) => {
    const model = context.library.models.get(input.modelId);
    const dataset = datasetFor(context, model);
    const { parts, bytes } = await context.desk.ask('bundleParts', {
      path: model.files[0]!.path,
      device: input.deviceId,
      beside: besideOf(model),
      ...(dataset ? { dataset: referenceTo(dataset) } : {}),
    });
    return { parts: [...parts], bytes, suggestedPath: suggestedPath(model.name, input.deviceId) };
  }),

  export: api.bundles.export.handler(async ({ context, input, signal }) => {
    const { library, queue } = context;
    const out = resolve(input.out);
    const target = input.zip ? `${out}.zip` : out;
    if (existsSync(target)) refuse('exists', `${target} is there already.`, 'Choose a name that is not taken.');
    await makeFolder(dirname(out));
    const machine = await context.machine();
    return queue.aside(
      { what: `export to ${out}`, writes: out },
      async (job) => {
        const model = await job.orCancelled(library.models.hashed(library.models.get(input.modelId).id));
        await library.models.settled(model);
        const run = runOf(context, model);
        const dataset = datasetFor(context, model);
        const parent = run?.document ? { sha256: run.document.run.modelSha256, name: run.model } : null;
        return job.ask('bundle', {
          path: model.files[0]!.path,
          device: input.deviceId,
          out,
          zip: input.zip ?? false,
          beside: besideOf(model),
          ...(dataset ? { dataset: referenceTo(dataset) } : {}),
          evidence: evidenceOf(model, run, machine),
          ...(run ? { recipe: run.recipe } : {}),
          ...(parent ? { parent } : {}),
          sha256: model.sha256,
          name: model.name,
        });
      },
      signal,
    );
  }),

  verify: api.bundles.verify.handler(({ context, input }) => context.desk.ask('verify', { path: resolve(input.path) })),
};

/** Files of an artifact that the model itself does not name. */
function besideOf({ files, entries }: ModelRecord): string[] {
  const folder = folderOf(files);
  const own = new Set(files.map((file) => nameInside(folder, file.path)));
  return (entries ?? []).map(({ path }) => path).filter((path) => !own.has(path));
}

/** The run that made it. */
function runOf({ history }: Services, model: ModelRecord): RunRow | null {
  return model.runId === null ? null : (history.runs.get(model.runId)?.row ?? null);
}

/** Golden inputs come from the data that the model was measured on, where that is still as it was. */
function datasetFor(context: Services, model: ModelRecord) {
  const [last] = context.history.runs
    .list({ modelId: model.id })
    .filter(({ row }) => row.datasetId && row.state === 'done');
  const id = runOf(context, model)?.datasetId ?? last?.row.datasetId;
  if (!id) return null;
  try {
    const dataset = context.library.datasets.get(id);
    context.library.datasets.assertUnchanged(dataset);
    return dataset;
  } catch {
    return null;
  }
}

function suggestedPath(name: string, device: string): string {
  const plain = `${name}-${device}`
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  for (let number = 1; ; number++) {
    const path = join(homedir(), 'lathe-bundles', number === 1 ? plain : `${plain}-${number}`);
    if (!existsSync(path) && !existsSync(`${path}.zip`)) return path;
  }
}

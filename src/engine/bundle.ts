// The corridors behind `bundles`: what would be in a bundle, writing one, and proving one.
import { rm } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { BundleManifest } from '../contract/words/bundle';
import type { InputSpec } from '../contract/words/dataset';
import type { FileEntry } from '../contract/words/model';
import { refuse } from '../contract/words/refusal';
import { identityOf, isContained, PendingFolder, refuseTaken } from './bundle-files';
import { type Golden, recordGolden, tolerancesOf } from './bundle-golden';
import { filesOf, licencesBeside, sizeOf } from './bundle-parts';
import { readme, runnerFiles } from './bundle-texts';
import { verifyPath } from './bundle-verify';
import { zipBundle } from './bundle-zip';
import { openDataset } from './data/index';
import { encodeNpy } from './data/npy-file';
import { deviceOf, fitModel } from './fit';
import { type OpenedFormat, openFormat } from './formats/index';
import { write } from './formats/onnx';
import { openGiven } from './runtime/given';
import { onnxruntimeVersion } from './runtime/machine';
import type { Session } from './runtime/session';
import type { DatasetReference, Tasks, Work } from './tasks';

type Ask = Tasks['bundle']['ask'];

export async function exportBundle(ask: Ask, work: Work): Promise<Tasks['bundle']['answer']> {
  const device = deviceOf(ask.device);
  const opened = await openFormat(ask.path);
  if (ask.zip) await refuseTaken(`${ask.out}.zip`);
  const pending = await PendingFolder.create(
    ask.out,
    Math.ceil((await sizeOf(filesOf(opened, ask.beside))) * (ask.zip ? 2.1 : 1.1)) + 2 ** 22,
  );
  try {
    tell(work, 'Copying the model', 1);
    const model = await putModel(opened, pending, ask);
    tell(work, 'Recording golden outputs', 2);
    const session = await openGiven(join(pending.path, model.path), ask.name, {
      doing: 'loading the model for its golden outputs',
    });
    let described: Omit<BundleManifest, 'id' | 'files'>;
    try {
      described = await describeBundle(ask, opened, model, session, pending);
    } finally {
      await session.close();
    }
    tell(work, 'Writing evidence, samples and the verifier', 3);
    await putTexts(ask, opened, described, pending);
    const files = [...pending.entries];
    const manifest: BundleManifest = { ...described, id: identityOf(files), files };
    await pending.write('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
    stopIfAborted(work);
    let zip: { path: string; bytes: number } | null = null;
    if (ask.zip) {
      tell(work, 'Packing the zip', 4);
      const path = `${ask.out}.zip`;
      zip = { path, bytes: await zipBundle(pending.path, pending.entries, path, work.signal) };
    }
    await pending.finish().catch(async (error: unknown) => {
      if (ask.zip) await rm(`${ask.out}.zip`, { force: true });
      throw error;
    });
    tell(work, `${device.title} bundle written`, 5);
    return { bundle: { path: ask.out, files: pending.entries, ...(zip ? { zip } : {}) } };
  } catch (error) {
    await pending.abandon();
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      refuse(
        'disk-full',
        `The disk of ${dirname(ask.out)} filled up. Nothing was kept.`,
        'Free some space, or choose another disk.',
      );
    }
    throw error;
  }
}

export { bundleParts } from './bundle-parts';

export async function verifyBundle(ask: Tasks['verify']['ask'], work: Work): Promise<Tasks['verify']['answer']> {
  work.emit({ kind: 'doing', what: `verifying ${basename(ask.path)}` });
  return verifyPath(ask.path, work);
}

/** `model.onnx`, its data and what lies beside it as they are, byte for byte; written anew and alone only where their names do not fit into one folder. */
async function putModel(opened: OpenedFormat, pending: PendingFolder, ask: Ask): Promise<FileEntry> {
  const [file, ...data] = opened.files as [string, ...string[]];
  const named = data.map((path) => relative(dirname(file), path).split(sep).join('/'));
  const beside = ask.beside ?? [];
  const ours = new Set([
    'model.onnx',
    'manifest.json',
    'recipe.json',
    'evidence.json',
    'README.md',
    ...Object.keys(runnerFiles('')),
  ]);
  const isPlain = [...named, ...beside].every(
    (path) => isContained(path) && !ours.has(path) && !/^(golden|samples|licences)\//.test(path),
  );
  if (!isPlain) {
    for (const path of await write(opened.model, { folder: pending.path, file: 'model.onnx' }))
      await pending.adopt(path);
    return pending.entries[0]!;
  }
  const model = await pending.copy(file, 'model.onnx');
  for (const [i, path] of data.entries()) await pending.copy(path, named[i]!);
  for (const path of beside) await pending.copy(join(dirname(file), path), path);
  const copied = pending.entries.map((entry, i) => (i === 0 ? { ...entry, path: basename(file) } : entry));
  if (identityOf(copied) !== ask.sha256) {
    refuse('changed', `${ask.name} changed since it was opened.`, 'Open it again, then export.');
  }
  return model;
}

async function describeBundle(
  ask: Ask,
  { model }: OpenedFormat,
  entry: FileEntry,
  session: Session,
  pending: PendingFolder,
): Promise<Omit<BundleManifest, 'id' | 'files'>> {
  const golden = await recordGolden(session, ask.dataset);
  const paths = [];
  for (const [index, one] of golden.entries()) paths.push(await putGolden(one, index, pending));
  const tolerances = tolerancesOf(model, session.outputs, golden);
  const device = deviceOf(ask.device);
  const prepared = await preparationOf(ask.dataset);
  const port = ({ name, dtype, shape }: Session['inputs'][number]) => ({
    name,
    dtype: dtype ?? 'other',
    shape: [...shape],
  });
  return {
    lathe: 1,
    ...(ask.parent ? { parent: ask.parent } : {}),
    device: { id: device.id, title: device.title },
    runtime: {
      name: 'onnxruntime',
      version: onnxruntimeVersion(),
      options: { executionProvider: 'cpu', graphOptimizationLevel: 'all', 'session.intra_op.allow_spinning': '0' },
    },
    model: { file: entry.path, sha256: entry.sha256, bytes: entry.bytes, opset: model.opsets.get('') ?? 0 },
    ...(prepared.classes ? { classes: prepared.classes } : {}),
    inputs: session.inputs.map((input) => {
      const preprocessing = prepared.inputs[input.name] ?? prepared.inputs['*'];
      return { ...port(input), ...(preprocessing ? { preprocessing } : {}) };
    }),
    outputs: session.outputs.map((output) => ({ ...port(output), tolerance: tolerances.get(output.name)! })),
    golden: paths,
  };
}

async function putGolden(
  golden: Golden,
  index: number,
  pending: PendingFolder,
): Promise<BundleManifest['golden'][number]> {
  const put = async (feeds: Golden['inputs'], kind: string) => {
    const paths: Record<string, string> = {};
    for (const [i, [name, feed]] of Object.entries(feeds).entries()) {
      paths[name] = `golden/${index}/${kind}-${i}.npy`;
      await pending.write(paths[name], encodeNpy(feed));
    }
    return paths;
  };
  return { inputs: await put(golden.inputs, 'input'), outputs: await put(golden.outputs, 'output') };
}

async function preparationOf(
  reference: DatasetReference | undefined,
): Promise<{ inputs: Record<string, InputSpec>; classes?: string[] }> {
  if (!reference) return { inputs: {} };
  const { summary } = await openDataset(reference);
  return { inputs: summary.spec.inputs ?? {}, ...(summary.classNames ? { classes: summary.classNames } : {}) };
}

async function putTexts(
  ask: Ask,
  opened: OpenedFormat,
  manifest: Omit<BundleManifest, 'id' | 'files'>,
  pending: PendingFolder,
): Promise<void> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const licences: string[] = [];
  for (const path of await licencesBeside(opened.files[0]!)) {
    licences.push(`licences/${basename(path)}`);
    await pending.copy(path, licences.at(-1)!);
  }
  for (const [path, text] of Object.entries(runnerFiles(manifest.runtime.version))) await pending.write(path, text);
  await pending.write('evidence.json', json(ask.evidence));
  if (ask.recipe) await pending.write('recipe.json', json(ask.recipe));
  const facts = {
    name: ask.name,
    manifest,
    modelBytes: await sizeOf(opened.files),
    hasRecipe: ask.recipe !== undefined,
    isGoldenFromData: ask.dataset !== undefined,
    fit: (await fitModel(opened, deviceOf(ask.device), ask.name)).sentence,
    licences,
    statedLicence: opened.model.metadata.get('licence') ?? opened.model.metadata.get('license') ?? null,
  };
  await pending.write('README.md', readme(facts));
}

/** The model, golden outputs, texts, the zip, done. */
const steps = 5;

function tell(work: Work, text: string, done: number): void {
  stopIfAborted(work);
  work.emit({ kind: 'progress', stage: 'bundle', text, done, total: steps });
}

function stopIfAborted(work: Work): void {
  if (work.signal.aborted) refuse('cancelled', 'The export was cancelled. Nothing was kept.');
}

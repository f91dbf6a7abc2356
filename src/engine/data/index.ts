// Opens a dataset: a dataset.json, a folder with one, or data whose kind is guessed and said aloud.
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DatasetSpec, DatasetSummary, InputSpec, SplitName } from '../../contract/words/dataset';
import { splitNames } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import type { DatasetReference, SeenFile } from '../tasks';
import { readBatches, settle } from './batches';
import { seeFile } from './bytes';
import type { Dataset, InputPort } from './dataset';
import { type Guess, guessFile, guessFolder } from './guess';
import { holdsTokenIds } from './sources/token-ids';
import { readSpec } from './spec';
import { openSplits, type Split, withDefaults } from './splits';
import { tokensOf } from './token-batches';

export { fixedBatchOf } from './batches';
export type { Batch, BatchRequest, Dataset, InputPort, TokenBatch } from './dataset';

export async function openDataset(reference: DatasetReference): Promise<Dataset> {
  const described = await describe(reference.path);
  const notes = [...described.notes];
  const declared = withPreset(described.spec, reference.preset);

  const named = await openSplits(declared, described.folder);
  for (const split of named.values()) for (const source of split.inputs.values()) notes.push(...source.notes);
  const { splits, notes: defaulted } = withDefaults(named);
  const first = [...named.values()][0]!;
  const spec = described.guessed && !reference.preset ? withPixelScale(declared, first, notes) : declared;

  const files = new Map<string, SeenFile>();
  if (described.file) files.set(described.file.path, described.file);
  for (const split of named.values()) {
    for (const source of split.inputs.values()) for (const file of source.files) files.set(file.path, file);
    for (const file of split.labels?.files ?? []) files.set(file.path, file);
  }
  const summary = summarise(reference.path, spec, splits, [...notes, ...new Set(defaulted.values())]);
  const inputs = spec.inputs ?? {};
  const part = (name: SplitName): Split =>
    splits.get(name) ??
    refuse('bad-dataset', `${summary.name} has no ${name} split.`, `It has ${[...splits.keys()].join(', ')}.`);

  return {
    summary,
    files: [...files.values()],
    samples: (name) => {
      const split = splits.get(name);
      return split ? split.to - split.from : 0;
    },
    notes: (name) => [...notes, ...(defaulted.has(name) ? [defaulted.get(name)!] : [])],
    adaptations: (name, ports) =>
      tokensOf(part(name))
        ? []
        : [...settle(part(name), inputs, ports).flatMap(({ plan }) => plan.notes), ...notFor(ports, inputs)],
    batches: (name, ports, request) => readBatches(part(name), inputs, ports, request),
  };
}

/** Preparation that no input of the model takes: meant for another model, or a name misspelt. */
function notFor(ports: readonly InputPort[], inputs: Record<string, InputSpec>): string[] {
  const named = new Set(ports.map(({ name }) => name));
  const has = ports.map(({ name }) => `"${name}"`).join(', ');
  return Object.keys(inputs)
    .filter((name) => name !== '*' && !named.has(name))
    .map((name) => `The dataset prepares an input "${name}"; the model has ${has}.`);
}

interface Described extends Guess {
  readonly guessed: boolean;
  /** dataset.json itself, which belongs to the dataset's identity. */
  readonly file: SeenFile | null;
}

async function describe(path: string): Promise<Described> {
  const facts = await stat(path).catch(() => refuse('not-found', `${path} is not there.`, 'Check the path.'));
  const json = facts.isDirectory() ? join(path, 'dataset.json') : path;
  const isDescribed = facts.isDirectory()
    ? await stat(json).then(
        (inner) => inner.isFile(),
        () => false,
      )
    : /\.json$/i.test(path) && !(await holdsTokenIds(path));
  if (isDescribed) {
    return { spec: await readSpec(json), folder: dirname(json), notes: [], guessed: false, file: await seeFile(json) };
  }
  const guess = facts.isDirectory() ? await guessFolder(path) : await guessFile(path);
  return { ...guess, guessed: true, file: null };
}

/** A preset says how one model wants its inputs; where the data is, and in what format, stays the dataset's. */
function withPreset(spec: DatasetSpec, preset: Record<string, InputSpec> | undefined): DatasetSpec {
  if (!preset) return spec;
  const inputs: Record<string, InputSpec> = {};
  for (const [name, wanted] of Object.entries(preset)) {
    const format = wanted.format ?? spec.inputs?.[name]?.format ?? spec.inputs?.['*']?.format;
    inputs[name] = { ...wanted, ...(format ? { format } : {}) };
  }
  return { ...spec, inputs };
}

/** Bytes are pixels, and most models want them between 0 and 1. Only where nobody said otherwise. */
function withPixelScale(spec: DatasetSpec, split: Split, notes: string[]): DatasetSpec {
  const shape = [...split.inputs.values()][0]!.shape;
  if (shape.kind !== 'picture' || !shape.bytes) return spec;
  notes.push('Pixels are divided by 255. Where a model was trained otherwise, a dataset.json or a preset says how.');
  return { ...spec, inputs: { '*': { scale: 1 / 255 } } };
}

function summarise(
  path: string,
  spec: DatasetSpec,
  splits: ReadonlyMap<SplitName, Split>,
  notes: string[],
): DatasetSummary {
  const all = [...splits.values()];
  const source = [...all[0]!.inputs.values()][0]!;
  const names = spec.classes ?? all.map((split) => split.labels?.names).find((list) => list) ?? null;
  let classes: number | null = names?.length ?? null;
  if (classes === null && spec.task === 'classification') {
    for (const { labels } of all) {
      for (const label of labels?.classes ?? []) classes = Math.max(classes ?? 0, label + 1);
    }
  }
  const folder = basename(path) === 'dataset.json' ? basename(dirname(path)) : basename(path);
  return {
    path,
    name: spec.name ?? folder,
    task: spec.task,
    kind: source.format,
    splits: splitNames.flatMap((name) => {
      const split = splits.get(name);
      return split ? [{ name, samples: split.to - split.from, labelled: split.labels !== null }] : [];
    }),
    classes,
    ...(names ? { classNames: [...names] } : {}),
    notes,
    spec,
  };
}

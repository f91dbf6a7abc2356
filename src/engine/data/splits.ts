// Splits: the parts of the data that are named, and the rules by which the missing ones are found, said aloud.

import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type DatasetSpec, type SplitName, type SplitSpec, splitNames } from '../../contract/words/dataset';
import { refuse } from '../../contract/words/refusal';
import { readLabels } from './labels';
import { sources } from './sources/index';
import type { Labels, Source } from './sources/source';
import { locate } from './spec';

export interface Split {
  /** By the model's input, or `*` for a model that has one. */
  readonly inputs: ReadonlyMap<string, Source>;
  readonly labels: Labels | null;
  /** Samples [from, to) of the sources. */
  readonly from: number;
  readonly to: number;
}

export type Splits = ReadonlyMap<SplitName, Split>;

/** Opens what the spec names. A source that several splits share is opened once. */
export async function openSplits(spec: DatasetSpec, folder: string): Promise<Splits> {
  const opened = new Map<string, Promise<Source>>();
  const splits = new Map<SplitName, Split>();
  for (const name of splitNames) {
    const described = spec.splits[name];
    if (described) splits.set(name, await openSplit(spec, described, `splits.${name}`, folder, opened));
  }
  return splits;
}

async function openSplit(
  spec: DatasetSpec,
  described: SplitSpec,
  place: string,
  folder: string,
  opened: Map<string, Promise<Source>>,
): Promise<Split> {
  const task = spec.task === 'language-modelling' ? 'none' : spec.task;
  const classNames = spec.classes ?? null;
  const named = typeof described.inputs === 'string' ? { '*': described.inputs } : described.inputs;
  const labelsPath = described.labels === undefined ? null : resolve(folder, described.labels);
  const hasLabelsFile = labelsPath !== null && (await isThere(labelsPath.replace(/(\.npz):[^/\\:]+$/i, '$1')));

  const inputs = new Map<string, Source>();
  for (const [input, path] of Object.entries(named)) {
    const format = spec.inputs?.[input]?.format ?? spec.inputs?.['*']?.format;
    const located = await locate(resolve(folder, path), format, `inputs.${input}`);
    const carriesAnswers = located.format === 'csv' || located.format === 'jsonl';
    const request = {
      path: located.path,
      key: located.key,
      task,
      label: carriesAnswers && !hasLabelsFile ? (described.labels ?? null) : null,
      labelsFile: located.format === 'image-folder' && hasLabelsFile ? labelsPath : null,
      classNames,
      ...(spec.text ? { text: spec.text } : {}),
    };
    const identity = JSON.stringify([located.format, request]);
    const source = opened.get(identity) ?? sources[located.format](request);
    opened.set(identity, source);
    inputs.set(input, await source);
  }
  if (inputs.size === 0) refuse('bad-dataset', `${place}.inputs names nothing.`, undefined, `${place}.inputs`);

  const all = [...inputs.values()];
  const samples = all[0]!.samples;
  const other = all.find((source) => source.samples !== samples);
  if (other)
    refuse(
      'bad-dataset',
      `The inputs of ${place} have ${samples} and ${other.samples} samples.`,
      undefined,
      `${place}.inputs`,
    );

  const carried = all.find((source) => source.labels)?.labels ?? null;
  const apart = labelsPath !== null && carried === null && task !== 'none';
  const labels = apart ? await readLabels(labelsPath, task, classNames, `${place}.labels`) : carried;
  if (labels && labels.count !== samples) {
    refuse('bad-dataset', `${place} has ${samples} samples and ${labels.count} labels.`, undefined, `${place}.labels`);
  }
  const { from = 0, to = samples } = described;
  if (from >= to || to > samples) {
    refuse('bad-dataset', `${place}: samples ${from} to ${to} of ${samples} are none.`, undefined, `${place}.from`);
  }
  return { inputs, labels: task === 'none' ? null : labels, from, to };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Finds `validation` and `calibration` where they are not named; what tunes is never what reports. */
export function withDefaults(named: Splits): { splits: Splits; notes: ReadonlyMap<SplitName, string> } {
  const splits = new Map(named);
  const notes = new Map<SplitName, string>();
  const train = splits.get('train');
  const test = splits.get('test');
  if (!splits.has('validation') && train) {
    const tenth = Math.floor((train.to - train.from) / 10);
    if (tenth > 0) {
      splits.set('validation', { ...train, from: train.to - tenth });
      splits.set('train', { ...train, to: train.to - tenth });
      const note = `Validation is the last tenth of train, ${count(tenth)} samples; train is the rest.`;
      notes.set('validation', note).set('train', note);
    }
  } else if (!splits.has('validation') && test) {
    const half = Math.floor((test.to - test.from) / 2);
    if (half > 0) {
      splits.set('validation', { ...test, to: test.from + half });
      notes.set(
        'validation',
        `Validation is the first half of test. What is tuned on it reports on the other ${count(test.to - test.from - half)} samples.`,
      );
    }
  }
  if (!splits.has('calibration')) {
    const source = splits.get('train') ?? test;
    if (source) {
      splits.set('calibration', source);
      notes.set('calibration', `Calibration takes the first samples of ${splits.has('train') ? 'train' : 'test'}.`);
    }
  }
  return { splits, notes };
}

function count(value: number): string {
  return value.toLocaleString('en');
}

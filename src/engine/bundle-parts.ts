// What would be in a bundle, and how large, before anything is written.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { goldenCount } from './bundle-golden';
import { runnerFiles } from './bundle-texts';
import { deviceOf } from './fit';
import { type OpenedFormat, openFormat } from './formats/index';
import { everyNode } from './graph/walk';
import { onnxruntimeVersion } from './runtime/machine';
import type { Tasks, Work } from './tasks';

/** Sizes as they will be; golden files and texts within a few per cent. */
export async function bundleParts(
  ask: Tasks['bundleParts']['ask'],
  work: Work,
): Promise<Tasks['bundleParts']['answer']> {
  deviceOf(ask.device);
  work.emit({ kind: 'doing', what: `reading the model ${basename(ask.path)}` });
  const opened = await openFormat(ask.path);
  const { model, files } = opened;
  const { inputs, outputs, initializers } = model.graph;
  const values = [...inputs.filter((input) => !initializers.has(input.name)), ...outputs];
  let goldenBytes = 0;
  for (const { type } of values) {
    if (type?.kind !== 'tensor' || !type.shape) continue;
    const numbers = type.shape.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 1), 1);
    goldenBytes += goldenCount * (numbers * 4 + 128);
  }
  const runner = Object.values(runnerFiles(onnxruntimeVersion())).reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );
  const licences = await licencesBeside(files[0]!);
  const parts = [
    { name: 'Model', bytes: await sizeOf(filesOf(opened, ask.beside)) },
    { name: 'Golden inputs and outputs', bytes: goldenBytes },
    // About 300 bytes a layer in the evidence, 200 a file in the manifest.
    {
      name: 'Evidence, recipe and manifest',
      bytes: 4000 + 300 * everyNode(model).length + 200 * (10 + 4 * values.length),
    },
    { name: 'Node and Python samples, verifier', bytes: runner },
    { name: 'README and licences', bytes: 2500 + (await sizeOf(licences)) },
  ];
  return { parts, bytes: parts.reduce((sum, part) => sum + part.bytes, 0) };
}

/** Licence and notice files in the model's own folder, of a size that people read. */
export async function licencesBeside(model: string): Promise<string[]> {
  const entries = await readdir(dirname(model), { withFileTypes: true });
  const names = entries.filter(
    (entry) => entry.isFile() && /^(licen[cs]e|notice|copying)([.\-_].*)?$/i.test(entry.name),
  );
  const paths = names.map((entry) => join(dirname(model), entry.name)).sort();
  const kept: string[] = [];
  for (const path of paths) if ((await stat(path)).size <= 2 ** 20) kept.push(path);
  return kept;
}

/** The model's files and those beside it. */
export function filesOf({ files }: OpenedFormat, beside: readonly string[] = []): string[] {
  return [...files, ...beside.map((path) => join(dirname(files[0]!), path))];
}

export async function sizeOf(files: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  return bytes;
}

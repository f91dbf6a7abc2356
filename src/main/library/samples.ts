// The samples that ship with Lathe: of each a model and the folder of its dataset.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type SampleName, sampleNames } from '../../contract/words/sample';

export interface Sample {
  readonly name: SampleName;
  readonly model: string;
  readonly dataset: string;
}

/** Those that are part of this installation, in the order in which they are offered. */
export function samplesIn(folder: string): Sample[] {
  return sampleNames
    .map((name) => ({ name, model: join(folder, `${name}.onnx`), dataset: join(folder, name) }))
    .filter(({ model, dataset }) => existsSync(model) && existsSync(join(dataset, 'dataset.json')));
}

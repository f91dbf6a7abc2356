// Writes dataset.json files over the test data, each with the preprocessing one model wants.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InputSpec } from '../src/contract/words/dataset';
import { testData } from './data';

const unit = 1 / 255;
/** What a model wants done to its images, as its baseline was measured. */
export const preparation = {
  'mnist-8': { layout: 'NCHW' },
  'mnist-cnn-ext': { layout: 'NCHW', scale: unit, mean: [0.1307], std: [0.3081] },
  mnistfc: { scale: unit, reshape: [1, 784, 1] },
  'cifar10-tf': { layout: 'NHWC', scale: unit },
  'cifar10-resnet2b': { layout: 'NCHW', scale: unit, mean: [0.4914, 0.4822, 0.4465], std: [0.2471, 0.2435, 0.2616] },
  'cifar10-vit-ibp': { layout: 'NCHW', scale: unit, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  'mobilenetv2-cifar10': {
    resize: { width: 224, height: 224, fit: 'stretch', filter: 'bilinear', antialias: true },
    scale: unit,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    layout: 'NCHW',
  },
  'mobilenetv2-imagenet': {
    crop: { width: 224, height: 224 },
    scale: unit,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    layout: 'NCHW',
  },
} as const satisfies Record<string, InputSpec>;

const sources = {
  mnist: { inputs: 'data/mnist/t10k-images-idx3-ubyte.gz', labels: 'data/mnist/t10k-labels-idx1-ubyte.gz' },
  cifar10: { inputs: 'data/cifar10/test-1k.bin' },
  imagenet: { inputs: 'data/imagenet-samples', labels: 'data/imagenet-samples/labels.csv' },
} as const;

/** Writes `<folder>/dataset.json` and answers its path; all paths inside are absolute. */
export function writeDataset(folder: string, source: keyof typeof sources, wants: keyof typeof preparation): string {
  mkdirSync(folder, { recursive: true });
  const split = Object.fromEntries(Object.entries(sources[source]).map(([key, path]) => [key, testData(path)]));
  const file = join(folder, 'dataset.json');
  writeFileSync(
    file,
    JSON.stringify({
      lathe: 1,
      name: source,
      task: 'classification',
      inputs: { '*': preparation[wants] },
      splits: { test: split },
    }),
  );
  return file;
}

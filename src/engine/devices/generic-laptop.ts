// A laptop of no particular make, 16 GB: what can be said of its memory, and nothing about a speed nobody measured.
import { defineDevice } from './device';

const GiB = 2 ** 30;

export const genericLaptop = defineDevice({
  id: 'generic-laptop',
  title: 'Generic laptop',
  about: '16 GB · x64 or arm64 CPU',
  memoryBytes: 16 * GiB,
  // A desktop, a browser and their caches take a quarter.
  usableBytes: 12 * GiB,
  runtimes: ['onnxruntime'],
  figures: [
    {
      name: 'Memory',
      value: 16 * GiB,
      unit: 'B',
      source: 'The usual size on sale; change it by measuring your own',
      certainty: 'unsure',
    },
    {
      name: 'Kept for the system',
      value: 4 * GiB,
      unit: 'B',
      source: 'Rule of thumb: a desktop and a browser',
      certainty: 'unsure',
    },
    { name: 'Cores', value: null, unit: '', source: 'Differs by model', certainty: 'unsure' },
    {
      name: 'Memory bandwidth, lowest',
      value: 68e9,
      unit: 'B/s',
      source: 'Apple M1; thin laptops with DDR5 or LPDDR5 begin here',
      certainty: 'unsure',
    },
    {
      name: 'Memory bandwidth, highest',
      value: 136.5e9,
      unit: 'B/s',
      source: 'Intel Core Ultra 200V: 8,533 MT/s × 128 bit',
      certainty: 'derived',
    },
    { name: 'fp32 peak', value: null, unit: 'FLOP/s', source: 'Differs by model', certainty: 'unsure' },
    {
      name: 'int8 peak',
      value: null,
      unit: 'OP/s',
      source: 'Differs by model and by VNNI or I8MM',
      certainty: 'unsure',
    },
    {
      name: 'ONNX Runtime, measured point',
      value: null,
      unit: 'ms',
      source: 'None: measure on the laptop itself',
      certainty: 'unsure',
    },
  ],
});

// The corridor behind `fit`: whether a model's footprint fits a device, and by how much.
import { basename, dirname } from 'node:path';
import type { Device, FitDocument } from '../contract/words/device';
import { refuse } from '../contract/words/refusal';
import { footprintOf } from './devices/footprint';
import { devices } from './devices/index';
import { type OpenedFormat, openFormat } from './formats/index';
import type { Tasks, Work } from './tasks';

/** Above this share of what is usable, the next tab or log file decides. */
const tightShare = 0.85;

export async function fit(ask: Tasks['fit']['ask'], work: Work): Promise<Tasks['fit']['answer']> {
  const device = deviceOf(ask.device);
  work.emit({ kind: 'doing', what: `reading the model ${basename(ask.path)}` });
  return fitModel(await openFormat(ask.path), device, ask.name);
}

/** `name`: as the user knows it; the file's own where it is not given. */
export async function fitModel(
  { model, files }: OpenedFormat,
  device: Device,
  name = nameOf(files[0]!),
): Promise<FitDocument> {
  const { footprint, unknownValues } = await footprintOf(model);
  const fits = verdict(footprint.total, device.usableBytes);
  const rest = unknownValues > 0 ? ` ${unknownValues} of its values have a free size and are not counted.` : '';
  const sentence = sentenceOf(name, device, fits, footprint.total) + rest;
  return { fits, footprint, usableBytes: device.usableBytes, sentence };
}

/** A file called model.onnx is known by its folder. */
function nameOf(file: string): string {
  return basename(file) === 'model.onnx' ? basename(dirname(file)) : basename(file);
}

export function deviceOf(id: string): Device {
  return (
    devices.find((device) => device.id === id) ??
    refuse('not-found', `No device is called ${id}.`, `Known are ${devices.map((device) => device.id).join(', ')}.`)
  );
}

export function verdict(bytes: number, usable: number): FitDocument['fits'] {
  if (bytes > usable) return 'no';
  return bytes > usable * tightShare ? 'tight' : 'yes';
}

function sentenceOf(name: string, device: Device, fits: FitDocument['fits'], bytes: number): string {
  const spare = device.usableBytes - bytes;
  switch (fits) {
    case 'yes':
      return `${name} fits the ${device.title}, with ${size(spare)} to spare.`;
    case 'tight':
      return `${name} fits the ${device.title}, but tightly: ${size(spare)} are left.`;
    case 'no':
      return `${name} does not fit the ${device.title}: it needs ${size(-spare)} more.`;
    default:
      return fits satisfies never;
  }
}

/** SI prefixes and a narrow no-break space: 1 MB = 1,000,000 B. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}\u202f${units[unit]}`;
}

// What makes two trainings the same one: a checkpoint is only taken up by the training that wrote it.
import { createHash } from 'node:crypto';
import { print } from '../graph/print';
import type { TrainAsk } from './ask';

/** `start`: every number that trains, before the first step. */
export function fingerprintOf(ask: TrainAsk, parts: object, start: readonly Float32Array[]): string {
  const { model, parameters, data, settings, seed, held, objective } = ask;
  const asked = {
    parameters,
    settings,
    parts,
    seed,
    data: [data.train, data.tune, data.dataset.files],
    ...(objective.key === undefined ? {} : { objective: objective.key }),
    held: [...(held ?? [])].map(([name, places]) => [name, places.length]),
  };
  const hash = createHash('sha256').update(JSON.stringify(asked)).update(print(model));
  for (const values of start) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return hash.digest('hex');
}

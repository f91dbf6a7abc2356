// Intermediate values of a running model: the model with these values as further outputs, written to a temporary file and asked.
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { write } from '../formats/onnx';
import type { Model } from '../graph/graph';
import { definedIn } from '../graph/walk';
import { type Feed, type Feeds, openSession } from './session';

export interface Taps {
  /** The asked values by name. A value that is an initializer or was never made is an error of the caller. */
  run(feeds: Feeds): Promise<Map<string, Feed>>;
  /** Frees the model and deletes its file. */
  close(): Promise<void>;
}

/**
 * `values` are names in the model's own graph, its inputs included; values inside subgraphs cannot be asked for. Constants are folded and
 * nothing else that could move a value: what comes back is what the float model computes.
 */
export async function openTaps(model: Model, values: readonly string[], folder: string): Promise<Taps> {
  const { graph } = model;
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const wanted = [...new Set(values)];
  const own = definedIn(graph);
  const missing = wanted.find((name) => !own.has(name));
  if (missing !== undefined) throw new Error(`${missing} was asked for and the graph does not make it`);
  const made = wanted.filter((name) => !inputs.has(name));
  const declared = new Map(graph.outputs.map((output) => [output.name, output]));
  const outputs = made.map((name) => declared.get(name) ?? graph.values.get(name) ?? { name, type: null });
  // A model of inputs alone still needs an output.
  const kept = outputs.length > 0 ? outputs : graph.outputs;
  const place = join(folder, `taps-${randomBytes(4).toString('hex')}`);
  await mkdir(place);
  try {
    const [file] = await write({ ...model, graph: { ...graph, outputs: kept } }, { folder: place, file: 'taps.onnx' });
    const session = await openSession(join(place, file!), {
      level: 'basic',
      doing: 'loading the model to look inside',
    });
    return {
      async run(feeds) {
        const found = new Map<string, Feed>();
        const given = made.length > 0 ? await session.run(feeds, made) : {};
        for (const name of wanted) {
          const value = inputs.has(name) ? feeds[name] : given[name];
          if (!value) throw new Error(`${name} was asked for and did not come back`);
          found.set(name, value);
        }
        return found;
      },
      async close() {
        await session.close();
        await rm(place, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    throw error;
  }
}

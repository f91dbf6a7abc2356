// A model that another one learns from: asked batch by batch, or once for all samples, its answers then kept beside the checkpoints.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { refuse } from '../../contract/words/refusal';
import { withoutUnused } from '../graph/edit';
import type { Model, Value } from '../graph/graph';
import { print } from '../graph/print';
import { decodeFloat16 } from '../graph/tensor';
import type { Feed } from '../runtime/session';
import { openTaps, type Taps } from '../runtime/taps';
import { checkpointsFolder } from './checkpoint';
import { KeptRows } from './kept-rows';
import type { Ahead } from './objective';
import type { Drawn } from './samples';
import type { Part } from './training-data';

export interface TeacherAsk {
  readonly model: Model;
  /** Values of its graph that are asked for. */
  readonly values: readonly string[];
  /** The file it came from: with the graph, what makes it this teacher. */
  readonly origin: string;
  /** The job's own folder. */
  readonly folder: string;
}

/** Answers above this are not kept: the teacher is asked again for every batch. */
export const mostKept = 2 ** 30;

export class Teacher {
  private readonly kept = new Map<string, { rows: KeptRows; widths: readonly number[] }>();

  private constructor(
    private readonly taps: Taps,
    private readonly ask: TeacherAsk,
    readonly key: string,
  ) {}

  static async open(ask: TeacherAsk): Promise<Teacher> {
    const { model, values, origin, folder } = ask;
    const key = createHash('sha256')
      .update(JSON.stringify([origin, values]))
      .update(print(model))
      .digest('hex');
    return new Teacher(await openTaps(forAnyBatch(model, values), values, folder), ask, key);
  }

  /** Every value for these samples, in the order of `values`; the samples one after another. */
  async answers(drawn: Drawn): Promise<Float32Array[]> {
    const known = this.kept.get(keyOf(drawn.part));
    if (!known) return this.asked(drawn);
    const { rows, widths } = known;
    const together = await rows.at(drawn.indices);
    return apart(together, widths, drawn.indices.length);
  }

  /** Asks for all samples of a part once, where that saves anything and fits. */
  async keep({ store, rows, isRepeated, signal, tell }: Ahead, most = mostKept): Promise<void> {
    if (!isRepeated) return;
    const { part, count } = store;
    const sizes = [...new Set([rows, count % rows || rows])];
    const readers = new Map(sizes.map((size) => [size, store.reader(size)]));
    const draw = (from: number): Promise<Drawn> => {
      const size = Math.min(rows, count - from);
      return readers.get(size)!(Array.from({ length: size }, (_, i) => from + i));
    };
    const first = await this.asked(await draw(0));
    const widths = first.map(({ length }) => length / rows);
    if (4 * count * widths.reduce((a, b) => a + b, 0) > most) return;
    const file = this.fileOf(part, rows);
    if (!(await KeptRows.find(file, count))) {
      const asked = async function* (teacher: Teacher) {
        for (let from = 0; from < count; from += rows) {
          signal.throwIfAborted();
          tell('Asking the teacher', from, count);
          const drawn = await draw(from);
          yield together(await teacher.asked(drawn), drawn.indices.length);
        }
      };
      await KeptRows.write(file, asked(this));
    }
    this.kept.set(keyOf(part), { rows: (await KeptRows.find(file, count))!, widths });
  }

  async close(): Promise<void> {
    await this.taps.close();
  }

  private async asked({ feeds }: Drawn): Promise<Float32Array[]> {
    const { model, values } = this.ask;
    const missing = model.graph.inputs.find(({ name }) => !(name in feeds) && !model.graph.initializers.has(name));
    if (missing)
      refuse(
        'unsupported',
        `The teacher takes "${missing.name}", and the student does not.`,
        'Distil into a student with the inputs of its parent.',
      );
    const found = await this.taps.run(feeds);
    return values.map((name) => floatsOf(name, found.get(name)!));
  }

  private fileOf(part: Part, rows: number): string {
    const hash = createHash('sha256').update(JSON.stringify([this.key, part, rows]));
    return join(this.ask.folder, checkpointsFolder, `teacher-${hash.digest('hex').slice(0, 12)}.rows`);
  }
}

const keyOf = ({ split, from, samples }: Part): string => `${split} ${from} ${samples}`;

/** A model that declares one batch size is asked for the last samples too, which are fewer. */
function forAnyBatch(model: Model, values: readonly string[]): Model {
  const { graph } = model;
  const inputs = graph.inputs.map((input): Value => {
    if (graph.initializers.has(input.name) || input.type?.kind !== 'tensor' || !input.type.shape) return input;
    const shape = input.type.shape.map((dim, axis) => (axis === 0 && typeof dim === 'number' ? null : dim));
    return { ...input, type: { ...input.type, shape } };
  });
  const outputs = values.map((name) => graph.outputs.find((output) => output.name === name) ?? { name, type: null });
  const open = { ...graph, inputs, values: new Map(), outputs: outputs.map(({ name }) => ({ name, type: null })) };
  return { ...model, graph: withoutUnused(open) };
}

function floatsOf(name: string, { dtype, data }: Feed): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  if (dtype === 'float16') return decodeFloat16(data as Uint16Array);
  return refuse(
    'unsupported',
    `The teacher's "${name}" is ${dtype}; a student learns from floats.`,
    'Take the float32 model as the parent.',
  );
}

/** Values of a batch → rows with everything of a sample side by side. */
function together(values: readonly Float32Array[], rows: number): Float32Array {
  if (values.length === 1) return values[0]!;
  const widths = values.map(({ length }) => length / rows);
  const width = widths.reduce((a, b) => a + b, 0);
  const out = new Float32Array(rows * width);
  let at = 0;
  for (const [i, value] of values.entries()) {
    const own = widths[i]!;
    for (let row = 0; row < rows; row++) out.set(value.subarray(row * own, (row + 1) * own), row * width + at);
    at += own;
  }
  return out;
}

/** The way back. */
function apart(rows: Float32Array, widths: readonly number[], count: number): Float32Array[] {
  if (widths.length === 1) return [rows];
  const width = widths.reduce((a, b) => a + b, 0);
  let at = 0;
  return widths.map((own) => {
    const out = new Float32Array(count * own);
    for (let row = 0; row < count; row++) out.set(rows.subarray(row * width + at, row * width + at + own), row * own);
    at += own;
    return out;
  });
}

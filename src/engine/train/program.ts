// The graphs of a training as loaded programs: one that makes the loss and its gradients for a batch, one that only judges.
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { write } from '../formats/onnx';
import { withoutUnused } from '../graph/edit';
import type { Model, Node, Value } from '../graph/graph';
import { type Feed, type Feeds, openSession, type Session } from '../runtime/session';
import { differentiate } from './backward';
import { decompose } from './decompose';
import { type BatchStatistics, withBatchStatistics } from './decompose/batch-statistics';
import { type Mask, withMasks } from './dropout';
import { declared, withFixedInputs } from './fix';
import type { Objective } from './objective';
import type { Known } from './tape';

/** A pass over the decomposed graph of one batch size; `form`: dropout and batch statistics are for training alone. */
export type Pass = (
  model: Model,
  known: ReadonlyMap<string, Known>,
  form: 'train' | 'judge',
) => Promise<{ readonly model: Model; readonly known: ReadonlyMap<string, Known> }>;

export interface ProgramAsk {
  /** The forward graph, weights among its initializers. */
  readonly model: Model;
  readonly objective: Objective;
  /** Initializers that are fed instead of stored. */
  readonly parameters: readonly string[];
  readonly pass?: Pass;
  /** Norms that normalise by the batch at hand while they train. */
  readonly normsByBatch?: (node: Node) => boolean;
  /** For the program's own file. */
  readonly folder: string;
  readonly threads?: number;
  /** Session configuration, dotted keys. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface Program {
  readonly loss: string;
  /** Parameter → output with its gradient; empty where the program only judges. */
  readonly gradients: ReadonlyMap<string, string>;
  readonly masks: readonly Mask[];
  /** Means and variances of the batch, outputs as well. */
  readonly statistics: readonly BatchStatistics[];
  /** Names of what must be fed. */
  readonly inputs: ReadonlySet<string>;
  run(feeds: Feeds, outputs: Feeds): Promise<Feeds>;
  close(): Promise<void>;
}

/** The graph of a program before it is loaded. */
export interface ProgramGraph extends Pick<Program, 'loss' | 'gradients' | 'masks' | 'statistics'> {
  readonly model: Model;
  /** Values of the forward graph and its loss. */
  readonly known: ReadonlyMap<string, Known>;
}

/** `sample`: feeds of the size that every batch will have. */
export async function writeProgram(ask: ProgramAsk, form: 'train' | 'judge', sample: Feeds): Promise<ProgramGraph> {
  const { objective, parameters } = ask;
  const dims = new Map(ask.model.graph.inputs.map(({ name }) => [name, sample[name]?.dims ?? []]));
  const fixed = await withFixedInputs(ask.model, dims, sample, ask.folder);
  let plain = await decompose(fixed.model, fixed.known);
  if (ask.pass) plain = await ask.pass(plain.model, plain.known, form);
  if (form === 'judge') {
    const { model, loss, known } = await objective.attach(plain.model, plain.known);
    const nothing = { gradients: new Map(), masks: [], statistics: [] };
    return { model: judging(model, loss, parameters, known), known, loss, ...nothing };
  }
  const { masks, ...masked } = await withMasks(plain.model, plain.known);
  const { statistics, ...normed } = withBatchStatistics(masked.model, masked.known, ask.normsByBatch ?? (() => false));
  const { model, loss, known } = await objective.attach(normed.model, normed.known);
  const keep = statistics.flatMap(({ batchMean, batchVariance }) => [batchMean, batchVariance]);
  const made = await differentiate(model, { loss, wrt: parameters, keep, known });
  return { model: made.model, known, loss, gradients: made.gradients, masks, statistics };
}

/** The same graph with its parameters as inputs and its loss as the only output. */
function judging(model: Model, loss: string, parameters: readonly string[], known: ReadonlyMap<string, Known>): Model {
  const { graph } = model;
  const fed = new Set(parameters);
  const inputs: Value[] = parameters.map((name) => declared(name, known.get(name)!));
  const initializers = new Map([...graph.initializers].filter(([name]) => !fed.has(name)));
  const outputs = [declared(loss, known.get(loss)!)];
  return {
    ...model,
    graph: withoutUnused({ ...graph, inputs: [...graph.inputs, ...inputs], initializers, outputs }),
  };
}

/** The program, loaded; its file is gone when it is closed. */
export async function openProgram(ask: ProgramAsk, form: 'train' | 'judge', sample: Feeds): Promise<Program> {
  const { model, known: _, ...parts } = await writeProgram(ask, form, sample);
  const { folder, threads, config } = ask;
  const place = join(folder, `program-${randomBytes(4).toString('hex')}`);
  await mkdir(place, { recursive: true });
  let session: Session;
  try {
    const [file] = await write(model, { folder: place, file: 'program.onnx' });
    session = await openSession(join(place, file!), {
      ...(threads === undefined ? {} : { threads }),
      // The runtime else moves what is quantized about, between forward and backward graph, and fails on its own result.
      config: { 'session.disable_quant_qdq': '1', ...config },
      doing: 'loading the training graph',
    });
  } catch (error) {
    await rm(place, { recursive: true, force: true });
    throw error;
  }
  const inputs = new Set(session.inputs.map(({ name }) => name));
  return {
    ...parts,
    inputs,
    run: (feeds, outputs) =>
      session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => inputs.has(name))), outputs),
    async close() {
      await session.close();
      await rm(place, { recursive: true, force: true });
    },
  };
}

/** An array of one number for a scalar output to be written into. */
export function scalarFeed(): Feed & { readonly data: Float32Array } {
  return { dtype: 'float32', dims: [], data: new Float32Array(1) };
}

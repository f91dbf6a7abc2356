// A model in onnxruntime: opened, fed, asked, closed. The only place that talks to the runtime's binding.
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { refuse } from '../../contract/words/refusal';
import type { DataType } from '../graph/graph';
import { Failure, runtimeReason } from './failure';
import { physicalCores } from './machine';

/** Elements as the binding takes and gives them; float16 as its 16-bit patterns. */
export type FeedData =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | string[];

export interface Feed {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: FeedData;
}
export type Feeds = Record<string, Feed>;

export interface SessionPort {
  readonly name: string;
  /** Null for sequences, maps and optionals. */
  readonly dtype: DataType | null;
  readonly shape: readonly (number | string | null)[];
}

export interface Session {
  readonly inputs: readonly SessionPort[];
  readonly outputs: readonly SessionPort[];
  /**
   * Blocks this thread while it computes. `outputs` asks for some only; given as feeds, their arrays (of the output's exact type and size, not
   * shared memory, none an input's) are written into.
   */
  run(feeds: Feeds, outputs?: readonly string[] | Feeds): Promise<Feeds>;
  /** Writes the profile (when opened with one) and frees the model. */
  close(): Promise<void>;
}

export interface SessionOptions {
  /** Threads of one operator; default: physical cores. */
  readonly threads?: number;
  /** Graph optimisation; default `all`. */
  readonly level?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all';
  /** Writes the optimised graph to this file, a second full copy. */
  readonly optimisedFile?: string;
  /** Writes a profile whose name starts with this path. */
  readonly profile?: string;
  /** Further session configuration, dotted keys: `session.qdq_matmulnbits_accuracy_level`. */
  readonly config?: Readonly<Record<string, string>>;
  /** What is being done, for the sentence if it fails; default "loading the model". */
  readonly doing?: string;
}

teachHalf();

/** A tensor that names external data carries this `StringStringEntryProto` key: tag 1, 8 bytes, "location". */
const externalKey = Buffer.from('\n\blocation', 'latin1');

const returnable: ReadonlySet<string> = new Set([
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
]);

/**
 * Opens a model by path, or from bytes where the model holds all its weights itself: bytes that point outside would be
 * read relative to the current directory, whatever that is.
 */
export async function openSession(model: string | Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const doing = options.doing ?? 'loading the model';
  if (typeof model !== 'string' && Buffer.from(model.buffer, model.byteOffset, model.byteLength).includes(externalKey))
    refuse('unsupported', 'A model with external data is loaded from its file, not from memory.');
  const wanted: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.threads ?? physicalCores(),
    interOpNumThreads: 1,
    graphOptimizationLevel: options.level ?? 'all',
    // Only fatal: what matters comes back as an error, and the rest would land on stderr.
    logSeverityLevel: 4,
    ...(options.optimisedFile ? { optimizedModelFilePath: options.optimisedFile } : {}),
    ...(options.profile ? { enableProfiling: true, profileFilePrefix: options.profile } : {}),
    // Without this every open session's idle threads burn a core: medians were 2 to 20 times worse.
    extra: { 'session.intra_op.allow_spinning': '0', 'session.inter_op.allow_spinning': '0', ...options.config },
  };
  let session: InferenceSession;
  try {
    session =
      typeof model === 'string'
        ? await InferenceSession.create(model, wanted)
        : await InferenceSession.create(model, wanted);
  } catch (cause) {
    throw new Failure(`The runtime does not load this model: ${runtimeReason(cause)}`, doing, { cause });
  }
  const inputs = session.inputMetadata.map(port);
  const outputs = session.outputMetadata.map(port);
  return {
    inputs,
    outputs,
    async run(feeds, asked = session.outputNames) {
      const names = isNames(asked) ? asked : Object.keys(asked);
      for (const output of outputs) {
        // The binding ends the whole process when it must hand back such a tensor.
        if (names.includes(output.name) && output.dtype !== null && !returnable.has(output.dtype))
          refuse('unsupported', `The output "${output.name}" is ${output.dtype}, which the runtime cannot hand back.`);
      }
      const given: Record<string, Tensor> = {};
      for (const [name, feed] of Object.entries(feeds)) given[name] = toTensor(feed);
      let answer: InferenceSession.OnnxValueMapType;
      try {
        answer = await session.run(given, isNames(asked) ? (names as string[]) : fetches(asked));
      } catch (cause) {
        throw new Failure(`The runtime stopped while it ran this model: ${runtimeReason(cause)}`, 'running the model', {
          cause,
        });
      }
      const result: Feeds = {};
      for (const [name, value] of Object.entries(answer)) result[name] = fromTensor(value as Tensor);
      return result;
    },
    async close() {
      if (options.profile) session.endProfiling();
      await session.release();
    },
  };
}

const isNames = (asked: readonly string[] | Feeds): asked is readonly string[] => Array.isArray(asked);

const fetches = (asked: Feeds): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(asked).map(([name, feed]) => [name, toTensor(feed)]));

function port(metadata: InferenceSession.ValueMetadata): SessionPort {
  if (!metadata.isTensor) return { name: metadata.name, dtype: null, shape: [] };
  return {
    name: metadata.name,
    dtype: metadata.type as DataType,
    shape: metadata.shape.map((dim) => (dim === '' ? null : dim)),
  };
}

/**
 * From Node 24 on the runtime's JavaScript side picks Float16Array for float16, which its binding cannot read ("expected 4, got 0").
 * It looks once, when the first tensor is made: made while Float16Array is out of sight, float16 stays Uint16Array.
 */
function teachHalf(): void {
  const seen = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  if (!seen) return;
  Reflect.deleteProperty(globalThis, 'Float16Array');
  new Tensor('float32', new Float32Array(1), [1]);
  Object.defineProperty(globalThis, 'Float16Array', seen);
}

function toTensor({ dtype, dims, data }: Feed): Tensor {
  // The binding takes `bool` as bytes and float16 as bit patterns, as we hold them.
  return new Tensor(dtype as 'float32', data as Float32Array, dims as number[]);
}

function fromTensor({ type, dims, data }: Tensor): Feed {
  return { dtype: type as DataType, dims, data: data as FeedData };
}

// Runs models in onnxruntime for the conformance suite. A process of its own: some models abort it, and then only it is gone.
import { createRequire } from 'node:module';

// Node's native interface has no Float16Array yet: the binding sees zero bytes of it. Without the class it takes Uint16Array.
delete globalThis.Float16Array;

const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node');
const options = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};
const views = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** `{ path, feeds }` → `{ kind: 'outputs', outputs }` or the class of error: `load` or `run`. */
async function run({ path, feeds }) {
  let session;
  try {
    session = await InferenceSession.create(path, options);
  } catch (error) {
    return { kind: 'load', message: String(error.message) };
  }
  try {
    if (feeds === null) return { kind: 'outputs', outputs: [] };
    const tensors = {};
    for (const name of session.inputNames) if (feeds[name]) tensors[name] = tensorOf(feeds[name]);
    const results = await session.run(tensors);
    return { kind: 'outputs', outputs: session.outputNames.map((name) => plain(name, results[name])) };
  } catch (error) {
    return { kind: 'run', message: String(error.message) };
  } finally {
    await session.release().catch(() => {});
  }
}

function tensorOf({ dtype, dims, bytes, strings }) {
  if (dtype === 'string') return new Tensor('string', strings, dims);
  const view = views[dtype];
  if (!view) throw new Error(`element type ${dtype} cannot be fed`);
  const copy = new Uint8Array(bytes);
  return new Tensor(dtype, new view(copy.buffer, 0, copy.byteLength / view.BYTES_PER_ELEMENT), dims);
}

function plain(name, tensor) {
  if (!tensor?.dims) return { name, dtype: 'other', dims: [], bytes: new Uint8Array() };
  const { type: dtype, dims, data } = tensor;
  if (dtype === 'string') return { name, dtype, dims, bytes: new TextEncoder().encode(JSON.stringify(data)) };
  return { name, dtype, dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() };
}

process.on('message', async ({ id, ...ask }) => process.send({ id, answer: await run(ask) }));
process.on('disconnect', () => process.exit(0));
process.send({ id: 0 });

// A language model with the shapes of Llama-2-7B in half precision, made of seeded random weights: 13.5 GB that a run must carry.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeModel, type Placement } from '../src/engine/formats/onnx/encode-model';
import { elementCount, type Node, type Tensor } from '../src/engine/graph/graph';
import { encodeFloat16, int64Tensor, readBytes } from '../src/engine/graph/tensor';
import { model, node, randomWeights, value } from './engine/models';

export interface LlamaShape {
  readonly layers: number;
  readonly width: number;
  readonly hidden: number;
  readonly heads: number;
  readonly vocabulary: number;
}

export const llama7B: LlamaShape = { layers: 32, width: 4096, hidden: 11_008, heads: 32, vocabulary: 32_000 };

/** Writes `model.onnx` and `model.onnx.data` into the folder; every weight differs from every other and none of the file is a hole. */
export async function writeLlamaShaped(folder: string, shape: LlamaShape): Promise<{ path: string; bytes: number }> {
  const nodes: Node[] = [];
  const halves: Tensor[] = [];
  const half = (name: string, ...dims: number[]): string => {
    const length = elementCount(dims) * 2;
    halves.push({ name, dtype: 'float16', dims, data: { kind: 'file', file: '', offset: 0, length } });
    return name;
  };
  const put = (op: string, name: string, inputs: readonly string[], attributes = {}): string => {
    nodes.push(node(op, inputs, [`${name}_out`], attributes, { name }));
    return `${name}_out`;
  };
  const { width, hidden, heads, vocabulary } = shape;
  const one = (name: string, number: number): Tensor => ({
    name,
    dtype: 'float16',
    dims: [],
    data: { kind: 'bytes', bytes: new Uint8Array(encodeFloat16(Float32Array.of(number)).buffer) },
  });
  const small = [
    one('two', 2),
    one('epsilon', 1e-3),
    one('attention_scale', 1 / Math.sqrt(width / heads)),
    int64Tensor('split', [4], [0, 0, heads, width / heads]),
    int64Tensor('joined', [3], [0, 0, width]),
  ];
  const norm = (at: string, x: string): string => {
    const square = put('Pow', `${at}/Pow`, [x, 'two']);
    const mean = put('ReduceMean', `${at}/ReduceMean`, [square, 'last'], { keepdims: 1 });
    const root = put('Sqrt', `${at}/Sqrt`, [put('Add', `${at}/Add`, [mean, 'epsilon'])]);
    return put('Mul', `${at}/Mul`, [put('Div', `${at}/Div`, [x, root]), half(`${at}.weight`, width)]);
  };
  const linear = (at: string, x: string, from: number, to: number): string =>
    put('MatMul', `${at}/MatMul`, [x, half(`${at}.weight`, from, to)]);

  let x = put('Gather', '/model/embed_tokens/Gather', [half('/model/embed_tokens.weight', vocabulary, width), 'ids']);
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `/model/layers.${layer}`;
    const h = norm(`${at}/input_layernorm`, x);
    const headed = (which: string, perm: readonly number[]): string => {
      const split = put('Reshape', `${at}/${which}/Reshape`, [linear(`${at}/${which}_proj`, h, width, width), 'split']);
      return put('Transpose', `${at}/${which}/Transpose`, [split], { perm });
    };
    const scores = put('MatMul', `${at}/scores/MatMul`, [headed('q', [0, 2, 1, 3]), headed('k', [0, 2, 3, 1])]);
    const scaled = put('Mul', `${at}/scores/Mul`, [scores, 'attention_scale']);
    const weights = put('Softmax', `${at}/scores/Softmax`, [scaled], { axis: -1 });
    const mixed = put('MatMul', `${at}/mixed/MatMul`, [weights, headed('v', [0, 2, 1, 3])]);
    const turned = put('Transpose', `${at}/mixed/Transpose`, [mixed], { perm: [0, 2, 1, 3] });
    const joined = put('Reshape', `${at}/mixed/Reshape`, [turned, 'joined']);
    x = put('Add', `${at}/attention/Add`, [x, linear(`${at}/o_proj`, joined, width, width)]);
    const m = norm(`${at}/post_attention_layernorm`, x);
    const gate = linear(`${at}/mlp/gate_proj`, m, width, hidden);
    const silu = put('Mul', `${at}/mlp/silu/Mul`, [gate, put('Sigmoid', `${at}/mlp/Sigmoid`, [gate])]);
    const gated = put('Mul', `${at}/mlp/gated/Mul`, [silu, linear(`${at}/mlp/up_proj`, m, width, hidden)]);
    x = put('Add', `${at}/mlp/Add`, [x, linear(`${at}/mlp/down_proj`, gated, hidden, width)]);
  }
  const logits = half('/lm_head.weight', width, vocabulary);
  nodes.push(node('MatMul', [norm('/model/norm', x), logits], ['logits'], {}, { name: '/lm_head/MatMul' }));

  const offsets = new Map<Tensor, number>();
  let bytes = 0;
  for (const tensor of halves) {
    offsets.set(tensor, bytes);
    bytes += Math.ceil((elementCount(tensor.dims) * 2) / 4096) * 4096;
  }
  const place: Placement = (tensor) => {
    const offset = offsets.get(tensor);
    return offset === undefined ? null : { location: 'model.onnx.data', offset, length: elementCount(tensor.dims) * 2 };
  };
  const whole = model({
    name: 'llama-shaped',
    inputs: [value('ids', 'int64', ['batch', 'sequence'])],
    outputs: [value('logits', 'float16', ['batch', 'sequence', vocabulary])],
    nodes,
    initializers: [...halves, ...small, int64Tensor('last', [1], [-1])],
  });
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'model.onnx');
  const handle = await open(path, 'wx');
  const data = await open(`${path}.data`, 'wx');
  try {
    let at = 0;
    for (const piece of encodeModel(whole, place).pieces()) {
      const part = piece instanceof Uint8Array ? piece : await readBytes(piece);
      await writeAll(handle, part, at);
      at += part.length;
    }
    const filler = new Filler();
    for (const [index, tensor] of halves.entries()) {
      const isNorm = tensor.dims.length === 1;
      await filler.put(data, offsets.get(tensor)!, elementCount(tensor.dims), index, isNorm);
    }
    await data.truncate(bytes);
    await data.datasync();
  } finally {
    await handle.close();
    await data.close();
  }
  return { path, bytes };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

const pieceCount = 2 ** 23;

/** Normal halves of deviation 0.02, drawn from a table of 65,536 by a 32-bit xorshift: two a step, seeded by tensor. */
class Filler {
  private readonly table = encodeFloat16(randomWeights(65_536, 0.02, 11));
  private readonly piece = new Uint16Array(pieceCount);

  async put(handle: FileHandle, offset: number, count: number, seed: number, ones: boolean): Promise<void> {
    const { table, piece } = this;
    let state = Math.imul(seed + 1, 0x9e3779b9) | 1;
    const bytes = new Uint8Array(piece.buffer);
    for (let from = 0; from < count; from += pieceCount) {
      const length = Math.min(pieceCount, count - from);
      if (ones) piece.fill(0x3c00, 0, length);
      else
        for (let i = 0; i < length; i += 2) {
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          piece[i] = table[state & 0xffff]!;
          piece[i + 1] = table[state >>> 16]!;
        }
      await writeAll(handle, bytes.subarray(0, length * 2), offset + from * 2);
    }
  }
}

// The small language model of the test data in the form onnxruntime-genai writes: packed projections, GroupQueryAttention with rotary tables, fused norms, a cache.
import { openFormat } from '../src/engine/formats';
import type { Model, Node, Tensor, Value } from '../src/engine/graph/graph';
import { floatTensor, int64Tensor, readFloats } from '../src/engine/graph/tensor';
import { model, node, value } from './engine/models';
import { storiesModel } from './stories';

const [layers, width, heads, kvHeads, size] = [5, 64, 8, 4, 8];
/** The runtime turns heads of a multiple of 16: each half of a head is followed by zeros. */
const stored = 16;
/** Channel j of a head of queries and keys → where it stands among the 16; values stand first. */
const place = (j: number): number => (j < size / 2 ? j : stored / 2 + j - size / 2);
const microsoft = { domain: 'com.microsoft' };
const epsilon = { float: 1e-5 };

export async function storiesGqa(): Promise<Model> {
  const { initializers } = (await openFormat(storiesModel)).model.graph;
  const floats = async (name: string): Promise<Float32Array> => readFloats(initializers.get(name)!);
  const tensors: Tensor[] = [int64Tensor('one', [1], [1]), int64Tensor('at', [], [1])];
  const keep = (name: string): string => {
    tensors.push(initializers.get(name)!);
    return name;
  };
  // Rotary tables hold both halves of a head; they are the same. What stands beside them is not turned: cos 1, sin 0.
  for (const [table, rest] of [
    ['cos', 1],
    ['sin', 0],
  ] as const) {
    const both = await floats(`rope.${table}`);
    const rows = both.length / size;
    const half = Float32Array.from({ length: (rows * stored) / 2 }, (_, at) => {
      const [row, i] = [Math.floor(at / (stored / 2)), at % (stored / 2)];
      return i < size / 2 ? both[row * size + i]! : rest;
    });
    tensors.push(floatTensor(table, [rows, stored / 2], half));
  }
  const nodes: Node[] = [
    node(
      'Gather',
      [keep('model.embed_tokens.weight'), 'input_ids'],
      ['x0'],
      {},
      { name: '/model/embed_tokens/Gather' },
    ),
    node('ReduceSum', ['attention_mask', 'one'], ['lengths'], { keepdims: 0 }),
    node('Sub', ['lengths', 'at'], ['lasts']),
    node('Cast', ['lasts'], ['seqlens_k'], { to: 6 }),
    node('Shape', ['attention_mask'], ['shape']),
    node('Gather', ['shape', 'at'], ['total'], {}, { name: '/total/Gather' }),
    node('Cast', ['total'], ['total_sequence_length'], { to: 6 }),
  ];
  const inputs: Value[] = [
    value('input_ids', 'int64', ['batch_size', 'sequence_length']),
    value('attention_mask', 'int64', ['batch_size', 'total_sequence_length']),
  ];
  const outputs: Value[] = [value('logits', 'float32', ['batch_size', 'sequence_length', 512])];
  /** norm(stream + added); the sum goes on as the stream. */
  const norm = (stream: string, added: string, gain: string, name: string): string => {
    const made = [`n${name}`, '', '', `x${name}`];
    nodes.push(node('SkipSimplifiedLayerNormalization', [stream, added, keep(gain)], made, { epsilon }, microsoft));
    return `n${name}`;
  };
  let normed = 'n0a';
  let down = '';
  nodes.push(
    node('SimplifiedLayerNormalization', ['x0', keep('model.layers.0.input_layernorm.weight')], ['n0a'], {
      axis: -1,
      epsilon,
    }),
  );
  for (let i = 0; i < layers; i++) {
    const from = `model.layers.${i}`;
    if (i > 0) normed = norm(`x${i - 1}b`, down, `${from}.input_layernorm.weight`, `${i}a`);
    const parts = await Promise.all(['q', 'k', 'v'].map((part) => floats(`${from}.self_attn.${part}_proj.weight.T`)));
    const columns = (heads + 2 * kvHeads) * stored;
    const packed = new Float32Array(width * columns);
    const firsts = [0, heads, heads + kvHeads];
    for (const [p, part] of parts.entries()) {
      const own = part.length / width;
      for (let row = 0; row < width; row++)
        for (let c = 0; c < own; c++) {
          const [head, j] = [firsts[p]! + Math.floor(c / size), c % size];
          packed[row * columns + head * stored + (p === 2 ? j : place(j))] = part[row * own + c]!;
        }
    }
    tensors.push(floatTensor(`${from}.qkv`, [width, columns], packed));
    const out = await floats(`${from}.self_attn.o_proj.weight.T`);
    const wide = new Float32Array(heads * stored * width);
    for (let row = 0; row < heads * size; row++) {
      const to = Math.floor(row / size) * stored + (row % size);
      wide.set(out.subarray(row * width, (row + 1) * width), to * width);
    }
    tensors.push(floatTensor(`${from}.o`, [heads * stored, width], wide));
    const caches = ['key', 'value'].map((part) => [`past_key_values.${i}.${part}`, `present.${i}.${part}`] as const);
    for (const [past, present] of caches) {
      inputs.push(value(past, 'float32', ['batch_size', kvHeads, 'past_sequence_length', stored]));
      outputs.push(value(present, 'float32', ['batch_size', kvHeads, 'total_sequence_length', stored]));
    }
    const product = (input: string, weight: string, output: string, name: string) =>
      nodes.push(
        node(
          'MatMul',
          [input, weight],
          [output],
          {},
          { name: `/${from.replaceAll('.', '/').replace('layers/', 'layers.')}/${name}/MatMul` },
        ),
      );
    product(normed, `${from}.qkv`, `qkv${i}`, 'attn/qkv_proj');
    nodes.push(
      node(
        'GroupQueryAttention',
        [`qkv${i}`, '', '', caches[0]![0], caches[1]![0], 'seqlens_k', 'total_sequence_length', 'cos', 'sin'],
        [`attended${i}`, caches[0]![1], caches[1]![1]],
        { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1, scale: { float: size ** -0.5 } },
        microsoft,
      ),
    );
    product(`attended${i}`, `${from}.o`, `o${i}`, 'attn/o_proj');
    const before = i === 0 ? 'x0' : `x${i}a`;
    norm(before, `o${i}`, `${from}.post_attention_layernorm.weight`, `${i}b`);
    product(`n${i}b`, keep(`${from}.mlp.gate_proj.weight.T`), `gate${i}`, 'mlp/gate_proj');
    product(`n${i}b`, keep(`${from}.mlp.up_proj.weight.T`), `up${i}`, 'mlp/up_proj');
    nodes.push(
      node('Sigmoid', [`gate${i}`], [`sigmoid${i}`]),
      node('Mul', [`gate${i}`, `sigmoid${i}`], [`silu${i}`]),
      node('Mul', [`silu${i}`, `up${i}`], [`inner${i}`]),
    );
    down = `down${i}`;
    product(`inner${i}`, keep(`${from}.mlp.down_proj.weight.T`), down, 'mlp/down_proj');
  }
  normed = norm(`x${layers - 1}b`, down, 'model.norm.weight', `${layers}a`);
  nodes.push(node('MatMul', [normed, keep('lm_head.weight.T')], ['logits'], {}, { name: '/lm_head/MatMul' }));
  return model({ inputs, outputs, nodes, initializers: tensors, opset: 21, opsets: { 'com.microsoft': 1 } });
}

// A small Llama (Touvron et al. 2023) with grouped queries, as ONNX in standard operators: its weights drawn by chance.
import { normal } from './draw.mjs';
import { integer, integers, model, node, weights } from './onnx.mjs';

/** Sizes: `width` of the residual stream, `inner` of the gated MLP, heads of `width / heads` numbers each. */
export function drawLlama({ vocabulary, context, width, layers, heads, keyHeads, inner, metadata, doc }, random) {
  const size = width / heads;
  const nodes = [];
  const initializers = [];
  let count = 0;
  const draw = (name, dims, spread) => {
    const length = dims.reduce((a, b) => a * b, 1);
    initializers.push(
      weights(
        name,
        dims,
        Float32Array.from({ length }, () => normal(random) * spread),
      ),
    );
    return name;
  };
  const filled = (name, dims, value) => {
    const length = dims.reduce((a, b) => a * b, 1);
    initializers.push(weights(name, dims, Float32Array.from({ length }, value)));
    return name;
  };
  const whole = (name, values) => {
    initializers.push(integers(name, values));
    return name;
  };
  const scalar = (name, value) => {
    initializers.push(integer(name, value));
    return name;
  };
  /** One operator; without a name it is called after what it is. */
  const add = (op, inputs, attributes = {}, name = `${op}_${count}`) => {
    const output = `${name}_out_${count++}`;
    nodes.push(node(name, op, inputs, [output], attributes));
    return output;
  };

  const one = whole('one', [1]);
  const zero = whole('zero', [0]);
  const two = filled('two', [], () => 2);
  const epsilon = filled('epsilon', [], () => 1e-5);
  const last = whole('last', [-1]);
  const scale = filled('scale', [], () => 1 / Math.sqrt(size));

  const length = add('Slice', [add('Shape', ['input_ids']), one, whole('both', [2])]);
  const rows = (table) => add('Slice', [table, zero, length, zero]);
  const angle = (i) => Math.floor(i / size) / 10000 ** ((2 * ((i % size) % (size / 2))) / size);
  const cosines = rows(filled('cosines', [context, size], (_, i) => Math.cos(angle(i))));
  const sines = rows(filled('sines', [context, size], (_, i) => Math.sin(angle(i))));
  // Nothing looks ahead: −10⁹ above the diagonal.
  const ahead = add('Expand', [filled('never', [], () => -1e9), add('Concat', [length, length], { axis: 0 })]);
  const mask = add('Trilu', [ahead, scalar('above', 1)], { upper: 1 });

  const norm = (x, name) => {
    const mean = add('ReduceMean', [add('Pow', [x, two]), last], { keepdims: 1 });
    const root = add('Sqrt', [add('Add', [mean, epsilon])]);
    return add('Mul', [add('Div', [x, root]), filled(`${name}.weight`, [width], () => 1)]);
  };
  const linear = (x, name, from, to, spread = 1 / Math.sqrt(from)) =>
    add('MatMul', [x, draw(`${name}.weight`, [from, to], spread)], {}, name);
  const split = (x, many, name) =>
    add('Transpose', [add('Reshape', [x, whole(`${name}.shape`, [0, 0, many, size])])], { perm: [0, 2, 1, 3] });
  const halves = { low: whole('low', [size / 2]), end: whole('end', [size]), axis: whole('inner', [3]) };
  /** Rotary position embedding (Su et al. 2021), halves turned against each other as Llama has it. */
  const turned = (x) => {
    const left = add('Slice', [x, zero, halves.low, halves.axis]);
    const right = add('Slice', [x, halves.low, halves.end, halves.axis]);
    const crossed = add('Concat', [add('Neg', [right]), left], { axis: 3 });
    return add('Add', [add('Mul', [x, cosines]), add('Mul', [crossed, sines])]);
  };
  /** Each key head serves several query heads. */
  const repeated = (x) => {
    const many = heads / keyHeads;
    const wide = add('Tile', [
      add('Unsqueeze', [x, whole(`at_${count}`, [2])]),
      whole(`times_${count}`, [1, 1, many, 1, 1]),
    ]);
    return add('Reshape', [wide, whole(`heads_${count}`, [0, heads, -1, size])]);
  };

  const table = draw('embed_tokens.weight', [vocabulary, width], 0.02);
  let x = add('Gather', [table, 'input_ids'], {}, 'embed_tokens');
  for (let i = 0; i < layers; i++) {
    const block = `layers.${i}`;
    const h = norm(x, `${block}.input_norm`);
    const query = turned(split(linear(h, `${block}.q_proj`, width, width), heads, `${block}.q`));
    const key = repeated(turned(split(linear(h, `${block}.k_proj`, width, keyHeads * size), keyHeads, `${block}.k`)));
    const value = repeated(split(linear(h, `${block}.v_proj`, width, keyHeads * size), keyHeads, `${block}.v`));
    const scores = add('Mul', [add('MatMul', [query, add('Transpose', [key], { perm: [0, 1, 3, 2] })]), scale]);
    const seen = add('MatMul', [add('Softmax', [add('Add', [scores, mask])], { axis: 3 }), value]);
    const joined = add('Reshape', [
      add('Transpose', [seen], { perm: [0, 2, 1, 3] }),
      whole(`${block}.joined`, [0, 0, width]),
    ]);
    const deep = 1 / Math.sqrt(2 * layers);
    x = add('Add', [x, linear(joined, `${block}.o_proj`, width, width, deep / Math.sqrt(width))]);
    const m = norm(x, `${block}.post_norm`);
    const gate = linear(m, `${block}.gate_proj`, width, inner);
    const open = add('Mul', [gate, add('Sigmoid', [gate])]);
    const both = add('Mul', [open, linear(m, `${block}.up_proj`, width, inner)]);
    x = add('Add', [x, linear(both, `${block}.down_proj`, inner, width, deep / Math.sqrt(inner))]);
  }
  const final = norm(x, 'norm');
  nodes.push(node('lm_head', 'MatMul', [final, add('Transpose', [table], { perm: [1, 0] })], ['logits']));
  return model({
    name: 'tales',
    doc,
    metadata,
    nodes,
    initializers,
    input: { name: 'input_ids', dims: ['batch_size', 'sequence_length'], type: 'int64' },
    output: { name: 'logits', dims: ['batch_size', 'sequence_length', vocabulary] },
  });
}

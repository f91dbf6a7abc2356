// Makes the sample that ships with Lathe: drawings of six shapes, and a small network that Lathe itself trains on them. Seeded.
//
//   npm run build && npx node resources/sample/make.mjs
//
// Leaves beside itself: shapes.onnx, and shapes/ with dataset.json and four IDX files.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { classNames, drawMany, normal, seeded, size } from './draw.mjs';
import { model, node, weights } from './onnx.mjs';
import { train } from './train.mjs';

const here = import.meta.dirname;
const scale = 1 / 255;
const mean = 0.25;
const std = 0.25;

/** IDX: 0 0 8 rank | rank × uint32 big-endian | bytes. */
function idx(dims, data) {
  const header = Buffer.alloc(4 + dims.length * 4);
  header.set([0, 0, 8, dims.length]);
  for (const [axis, dim] of dims.entries()) header.writeUInt32BE(dim, 4 + axis * 4);
  return gzipSync(Buffer.concat([header, data]), { level: 9 });
}

function writeDataset(splits) {
  const folder = join(here, 'shapes');
  mkdirSync(folder, { recursive: true });
  const described = {};
  for (const [name, { pixels, labels }] of Object.entries(splits)) {
    const files = { inputs: `${name}-images-idx3-ubyte.gz`, labels: `${name}-labels-idx1-ubyte.gz` };
    writeFileSync(join(folder, files.inputs), idx([labels.length, size, size], pixels));
    writeFileSync(join(folder, files.labels), idx([labels.length], labels));
    described[name] = files;
  }
  const spec = {
    lathe: 1,
    name: 'shapes',
    task: 'classification',
    classes: classNames,
    inputs: { '*': { layout: 'NCHW', scale, mean: [mean], std: [std] } },
    splits: described,
  };
  // Lists on one line, as the formatter has them.
  const json = JSON.stringify(spec, null, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, list) => `[${list.replace(/\s+/g, ' ')}]`,
  );
  writeFileSync(join(folder, 'dataset.json'), `${json}\n`);
}

/** Three convolutions and two dense layers, their weights drawn by chance (He et al. 2015). */
function drawNetwork(random) {
  const initializers = [];
  const layer = (name, dims) => {
    const count = dims.reduce((a, b) => a * b, 1);
    const spread = Math.sqrt((2 * dims[0]) / count);
    const drawn = Float32Array.from({ length: count }, () => normal(random) * spread);
    initializers.push(
      weights(`${name}.weight`, dims, drawn),
      weights(`${name}.bias`, [dims[0]], new Float32Array(dims[0])),
    );
  };
  const channels = [1, 12, 24, 48];
  for (const i of [1, 2, 3]) layer(`conv${i}`, [channels[i], channels[i - 1], 3, 3]);
  layer('fc1', [64, 48 * 9]);
  layer('fc2', [classNames.length, 64]);
  const conv = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] };
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  const nodes = [];
  let from = 'drawing';
  for (const i of [1, 2, 3]) {
    nodes.push(node(`conv${i}`, 'Conv', [from, `conv${i}.weight`, `conv${i}.bias`], [`conv${i}_out`], conv));
    nodes.push(node(`relu${i}`, 'Relu', [`conv${i}_out`], [`relu${i}_out`]));
    nodes.push(node(`pool${i}`, 'MaxPool', [`relu${i}_out`], [`pool${i}_out`], pool));
    from = `pool${i}_out`;
  }
  nodes.push(node('flatten', 'Flatten', [from], ['flat'], { axis: 1 }));
  nodes.push(node('fc1', 'Gemm', ['flat', 'fc1.weight', 'fc1.bias'], ['fc1_out'], { transB: 1 }));
  nodes.push(node('relu4', 'Relu', ['fc1_out'], ['relu4_out']));
  nodes.push(node('fc2', 'Gemm', ['relu4_out', 'fc2.weight', 'fc2.bias'], ['logits'], { transB: 1 }));
  return model({
    name: 'shapes',
    doc: `Tells ${classNames.join(', ')} apart. Made by resources/sample/make.mjs.`,
    metadata: { licence: 'Apache-2.0', classes: classNames.join(',') },
    nodes,
    initializers,
    input: { name: 'drawing', dims: ['batch', 1, size, size] },
    output: { name: 'logits', dims: ['batch', classNames.length] },
  });
}

writeDataset({ train: drawMany(3200, seeded(2026)), test: drawMany(800, seeded(4052)) });
train({
  start: drawNetwork(seeded(7)),
  data: join(here, 'shapes'),
  recipe: join(here, 'shapes', 'training.json'),
  to: join(here, 'shapes.onnx'),
});

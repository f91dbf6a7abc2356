// Makes the sample that ships with Lathe: drawings of six shapes, and a small network trained on them. Seeded; the same bytes every time.
//
//   npx node resources/sample/make.mjs            (about four minutes)
//
// Leaves beside itself: shapes.onnx, and shapes/ with dataset.json and four IDX files.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { classNames, drawMany, seeded, size } from './draw.mjs';
import { makeNetwork } from './network.mjs';
import { model, node, weights } from './onnx.mjs';

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

/** What the dataset's preprocessing gives: (x·scale − mean)/std. */
function prepared({ pixels }, i) {
  return Float32Array.from(pixels.subarray(i * size * size, (i + 1) * size * size), (x) => (x * scale - mean) / std);
}

/** A drawing turned by a quarter, mirrored and moved by up to two pixels, by chance: the class stays what it is. */
function varied(split, i, random) {
  const from = prepared(split, i);
  const out = new Float32Array(from.length).fill(from[0]);
  const kind = Math.floor(random() * 8);
  const right = Math.floor(random() * 5) - 2;
  const down = Math.floor(random() * 5) - 2;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [u, v] = kind & 1 ? [y, x] : [x, y];
      const toX = (kind & 2 ? size - 1 - u : u) + right;
      const toY = (kind & 4 ? size - 1 - v : v) + down;
      if (toX >= 0 && toX < size && toY >= 0 && toY < size) out[toY * size + toX] = from[y * size + x];
    }
  }
  return out;
}

function accuracyOf(network, split) {
  let correct = 0;
  split.labels.forEach((label, i) => {
    const logits = network.forward(prepared(split, i));
    if (logits.indexOf(Math.max(...logits)) === label) correct++;
  });
  return correct / split.labels.length;
}

function train(network, split, random, { epochs, batch, rate }) {
  const order = Array.from(split.labels, (_, i) => i);
  const steps = Math.floor(order.length / batch) * epochs;
  for (let epoch = 0, done = 0; epoch < epochs; epoch++) {
    let loss = 0;
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (let at = 0; at + batch <= order.length; at += batch, done++) {
      for (const i of order.slice(at, at + batch)) {
        loss += network.backward(network.forward(varied(split, i, random)), split.labels[i]);
      }
      // Cosine from `rate` to nothing.
      network.step((rate * (1 + Math.cos((Math.PI * done) / steps))) / 2, batch);
    }
    console.log(`epoch ${epoch + 1} of ${epochs}: loss ${(loss / order.length).toFixed(4)}`);
  }
}

function writeModel(network, accuracy) {
  const initializers = network.stages.flatMap(({ name, layer, w, b }) => [
    weights(`${name}.weight`, layer.dims, w.value),
    weights(`${name}.bias`, [layer.biases], b.value),
  ]);
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
  const encoded = model({
    name: 'shapes',
    doc: `Tells ${classNames.join(', ')} apart; ${(accuracy * 100).toFixed(1)} % of the test drawings. Made by resources/sample/make.mjs.`,
    metadata: { licence: 'Apache-2.0', classes: classNames.join(',') },
    nodes,
    initializers,
    input: { name: 'drawing', dims: ['batch', 1, size, size] },
    output: { name: 'logits', dims: ['batch', classNames.length] },
  });
  writeFileSync(join(here, 'shapes.onnx'), encoded);
}

const splits = { train: drawMany(3200, seeded(2026)), test: drawMany(800, seeded(4052)) };
writeDataset(splits);
const random = seeded(7);
const network = makeNetwork(classNames.length, random);
train(network, splits.train, random, { epochs: 14, batch: 32, rate: 2e-3 });
const accuracy = accuracyOf(network, splits.test);
console.log(`test: ${(accuracy * 100).toFixed(2)} % of 800`);
writeModel(network, accuracy);

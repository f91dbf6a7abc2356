// Runs the model once on a golden input and prints what it answers. A start for a program of your own.
//
//   npm install && node samples/run.mjs
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { readNpy } from '../npy.mjs';

const bundle = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(bundle, 'manifest.json'), 'utf8'));
const session = await ort.InferenceSession.create(join(bundle, manifest.model.file), {
  graphOptimizationLevel: manifest.runtime.options.graphOptimizationLevel,
});

const feeds = {};
for (const [name, path] of Object.entries(manifest.golden[0].inputs)) {
  const { dtype, dims, data } = readNpy(join(bundle, path));
  feeds[name] = new ort.Tensor(dtype, data, dims);
}
const answers = await session.run(feeds);
for (const [name, tensor] of Object.entries(answers)) {
  const scores = Array.from(tensor.data, Number);
  console.log(`${name} ${tensor.type}[${tensor.dims}]`);
  const best = scores.map((score, index) => ({ score, index })).sort((a, b) => b.score - a.score);
  for (const { score, index } of best.slice(0, 5)) console.log(`  ${manifest.classes?.[index] ?? index}: ${score}`);
}

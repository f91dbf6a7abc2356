// Proves this bundle on the machine it runs on: every file as it was exported, the model loads, the golden outputs come out.
//
//   npm install && node verify.mjs
//
// Exit code 0: all of it holds. 3: something does not, and the line says what.
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import * as ort from 'onnxruntime-node';
import { readNpy } from './npy.mjs';

const here = import.meta.dirname;
const manifest = JSON.parse(readFileSync(join(here, 'manifest.json'), 'utf8'));
let isProven = true;

function report(name, ok, detail) {
  isProven &&= ok;
  console.log(`${ok ? 'ok  ' : 'BAD '} ${name}: ${detail}`);
}

async function sha256(path) {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

/** Files of the bundle; what npm puts beside them is not part of it. */
function listed(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (folder === here && ['node_modules', 'package-lock.json'].includes(entry.name)) return [];
    return entry.isDirectory() ? listed(path) : [relative(here, path).split(sep).join('/')];
  });
}

const bad = [];
for (const file of manifest.files) {
  const path = join(here, file.path);
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (!facts?.isFile() || facts.size !== file.bytes || (await sha256(path)) !== file.sha256) bad.push(file.path);
}
report(
  'files',
  bad.length === 0,
  bad.length === 0 ? `${manifest.files.length} as exported` : `changed or missing: ${bad.join(', ')}`,
);
const known = new Set(['manifest.json', ...manifest.files.map((file) => file.path)]);
const extra = listed(here).filter((path) => !known.has(path));
report('nothing else', extra.length === 0, extra.length === 0 ? 'no other files' : extra.join(', '));
if (!isProven) process.exit(3);

const session = await ort.InferenceSession.create(join(here, manifest.model.file), {
  graphOptimizationLevel: manifest.runtime.options.graphOptimizationLevel,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
report('loads', true, `onnxruntime-node on ${process.platform} ${process.arch}`);

const tensorOf = ({ dtype, dims, data }) => new ort.Tensor(dtype, data, dims);
const inputsOf = (golden) =>
  Object.fromEntries(Object.entries(golden.inputs).map(([name, path]) => [name, tensorOf(readNpy(join(here, path)))]));

/** Largest difference, as a share of the largest expected number. */
function distance(expected, given) {
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [Number(expected[i]), Number(given[i])];
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    largest = Math.max(largest, Math.abs(a));
    difference = Math.max(difference, a === b ? 0 : Math.abs(a - b));
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
  }
  return largest === 0 ? difference : difference / largest;
}

function argmaxes(data, width) {
  const rows = [];
  for (let at = 0; at < data.length; at += width) {
    let best = at;
    for (let i = at; i < at + width; i++) if (data[i] > data[best]) best = i;
    rows.push(best - at);
  }
  return rows.join();
}

for (const [index, golden] of manifest.golden.entries()) {
  const given = await session.run(inputsOf(golden));
  for (const output of manifest.outputs) {
    const expected = readNpy(join(here, golden.outputs[output.name]));
    const actual = given[output.name];
    // float16 is compared by its bits' values; everything else as numbers.
    const numbers = (tensor) => (tensor.dtype === 'float16' ? Array.from(tensor.data, halfToFloat) : tensor.data);
    const wanted = numbers(expected);
    const got = numbers({ dtype: expected.dtype, data: bitsOf(actual) });
    const { kind, value, argmax } = output.tolerance;
    const far = distance(wanted, got);
    const isNear = actual.dims.join() === expected.dims.join() && (kind === 'exact' ? far === 0 : far <= value);
    const width = expected.dims.at(-1) ?? 1;
    const agrees = !argmax || argmaxes(wanted, width) === argmaxes(got, width);
    const bound = kind === 'exact' ? 'exact' : `at most ${value}`;
    report(
      `golden ${index + 1}, ${output.name}`,
      isNear && agrees,
      `off by ${far.toExponential(1)}, ${bound}${argmax ? ', same answer' : ''}`,
    );
  }
}

/** Newer runtimes hand float16 out as a Float16Array; the bits are the same. */
function bitsOf(tensor) {
  const { data } = tensor;
  return tensor.type === 'float16' && !(data instanceof Uint16Array)
    ? new Uint16Array(data.buffer, data.byteOffset, data.length)
    : data;
}

function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

const feeds = inputsOf(manifest.golden[0]);
const times = [];
for (let i = 0; i < 60; i++) {
  const start = performance.now();
  await session.run(feeds);
  if (i >= 10) times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
console.log(
  `     latency here: ${times[25].toFixed(3)} ms (median of 50), ${times[47].toFixed(3)} ms (95th percentile)`,
);
process.exit(isProven ? 0 : 3);

// What GPTQ leaves of each layer's output error on a real language model, beside its paper's own steps in float64 and what no rounding on the
// grid of nearest can go below; docs/evidence/quantization-language.json.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readFloats } from '../../src/engine/graph/tensor';
import { type Hessian, type Kernels, openKernels } from '../../src/engine/kernels';
import { openCalibration } from '../../src/engine/measure/calibration';
import { rightMatrix } from '../../src/engine/methods/cutting/matrix';
import { inputsOf, openSubject } from '../../src/engine/open';
import { openTaps } from '../../src/engine/runtime/taps';
import { hasTestData, testData } from '../data';
import { type Layer, paperGptq, quadratic, rebuild, relativeError } from '../engine/kernels/layer';
import { floatTensor } from '../engine/kernels/tensors';
import { storiesModel } from '../stories';
import { record } from './evidence';
import { Stories } from './language';

const folder = mkdtempSync(join(tmpdir(), 'lathe-prove-layers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [bits, group] = [4, 32] as const;
const damping = 0.01;
/** Asked of every layer; see `leastLoss` for those it is out of reach for. */
const gate = 0.4;

/** Σ ln of the pivots of H = L·D·Lᵀ, and their sum in the order GPTQ goes, with `damped` times the mean of the diagonal added. */
function pivotsOf({ columns: n, data }: Hessian, damped: number): { sum: number; logs: number; trace: number } {
  // The last column to be rounded comes first here.
  const order = Array.from({ length: n }, (_, k) => k).sort((a, b) => data[a * n + a]! - data[b * n + b]!);
  let trace = 0;
  for (let k = 0; k < n; k++) trace += data[k * n + k]!;
  const extra = (damped * trace) / n;
  const left = Float64Array.from({ length: n * n }, (_, i) => data[order[Math.floor(i / n)]! * n + order[i % n]!]!);
  let [sum, logs] = [0, 0];
  for (let k = 0; k < n; k++) left[k * n + k]! += extra;
  for (let k = 0; k < n; k++) {
    const pivot = left[k * n + k]!;
    sum += pivot;
    logs += Math.log(pivot);
    for (let i = k + 1; i < n; i++) {
      const times = left[i * n + k]! / pivot;
      for (let j = k + 1; j < n; j++) left[i * n + j]! -= times * left[k * n + j]!;
    }
  }
  return { sum, logs, trace: trace + n * extra };
}

/**
 * Squared error of a dimension no lattice of n dimensions goes below, in units of its cell: the second moment of a ball (Conway & Sloane 1999,
 * chapter 21). A cube's, which is what rounding each weight alone has on white inputs, is 1/12.
 */
function ball(n: number): number {
  let logGamma = n % 2 === 0 ? 0 : Math.log(Math.sqrt(Math.PI) / 2);
  for (let k = n % 2 === 0 ? 1 : 1.5; k <= n / 2; k++) logGamma += Math.log(k);
  return Math.exp((2 / n) * logGamma) / ((n + 2) * Math.PI);
}

/** Σ over channels of what a lattice with these steps loses at the very least where errors are uniform in a cell: no decoder beats it. */
function leastLoss(scales: Float32Array, { rows, columns }: Layer, unseen: Hessian): number {
  const volume = pivotsOf(unseen, 0).logs / columns;
  const groups = Math.ceil(columns / group);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    let logs = 0;
    for (let k = 0; k < columns; k++) logs += Math.log(Math.abs(scales[row * groups + Math.floor(k / group)]!));
    total += columns * ball(columns) * Math.exp(volume + (2 * logs) / columns);
  }
  return total;
}

async function compare(kernels: Kernels, layer: Layer, seen: Hessian, unseen: Hessian) {
  const { rows, columns, weights } = layer;
  const made = async (over: object) => {
    const result = await kernels.quantize({
      ...{ tensor: floatTensor(weights, [rows, columns]), rows, columns, order: 'rows', bits, groupSize: group },
      ...{ symmetric: true, zero: 'unsigned', pack: 'plain', scaleRule: 'signed-max', ...over },
    });
    return { result, rebuilt: rebuild(result, { rows, columns, bits, group }) };
  };
  const nearest = await made({});
  const whole = await made({ rounding: 'gptq', hessian: seen, damping });
  const clipped = await made({ rounding: 'gptq', hessian: seen, damping, clips: true });
  const { scales } = nearest.result;
  const paper = paperGptq(layer, seen, { scales, zero: () => 2 ** (bits - 1), bits, group }, { damping });
  const lost = ({ rebuilt }: { rebuilt: Float64Array }) => relativeError(layer, rebuilt, unseen);
  const same = whole.rebuilt.filter((w, i) => Math.abs(w - paper.rebuilt[i]!) < 1e-6 * Math.abs(w) + 1e-9).length;
  const least = (of: Float32Array) => leastLoss(of, layer, unseen) / quadratic(weights, unseen) / lost(nearest);
  const { sum, trace } = pivotsOf(seen, damping);
  return {
    nearest: lost(nearest),
    /** Ratios to nearest on ids that no rounding saw. */
    textbook: lost(paper) / lost(nearest),
    kernel: lost(whole) / lost(nearest),
    kernelOnNarrowedRanges: lost(clipped) / lost(nearest),
    sameCodes: same / whole.rebuilt.length,
    lossToTextbook: whole.result.outputNoise! / paper.loss,
    /** tr(D)/tr(H): what GPTQ is expected to leave (Chee et al. 2023, theorem 1). */
    expected: sum / trace,
    leastOnNearestGrid: least(scales),
    leastOnNarrowedRanges: least(clipped.result.scales),
  };
}

describe.skipIf(!hasTestData)('layers of stories260K, 4 bits g32', () => {
  it('reaches its paper, and comes as near as its inputs allow', async () => {
    const stories = new Stories(folder);
    const kernels = await openKernels();
    const opened = await openSubject(storiesModel);
    const { model, sites } = opened.subject;
    const products = sites.filter(({ op }) => op === 'MatMul');
    const inputs = [...new Set(products.map(({ node }) => node.inputs[0]!))];
    const taps = await openTaps(model, inputs, folder);
    const sumsOf = async (path: string): Promise<Map<string, Hessian>> => {
      const sums = new Map<string, Hessian>();
      for await (const feeds of (await openCalibration({ path }, inputsOf(opened))).batches()) {
        for (const [name, { dims, data }] of await taps.run(feeds)) {
          const columns = dims.at(-1)!;
          if (!sums.has(name)) sums.set(name, { columns, data: new Float64Array(columns * columns) });
          await kernels.addInputs(sums.get(name)!, data as Float32Array);
        }
      }
      return sums;
    };
    const [seen, unseen] = [
      await sumsOf(stories.data.selfgen),
      await sumsOf(testData('models/stories260K/selfgen_ids.json')),
    ];
    await taps.close();

    const layers: Record<string, Awaited<ReturnType<typeof compare>>> = {};
    for (const site of products) {
      const { rows, columns, order } = rightMatrix(site)!;
      const stored = await readFloats(site.tensor);
      const weights =
        order === 'rows' ? stored : stored.map((_, i) => stored[(i % columns) * rows + Math.floor(i / columns)]!);
      const layer: Layer = { rows, columns, weights, calibration: stored, heldOut: stored };
      const input = site.node.inputs[0]!;
      layers[`${site.name} ${site.weight}`] = await compare(kernels, layer, seen.get(input)!, unseen.get(input)!);
    }
    await kernels.close();

    const all = Object.values(layers);
    const median = (of: (layer: (typeof all)[number]) => number) => all.map(of).sort((a, b) => a - b)[all.length >> 1]!;
    const beyond = (of: (layer: (typeof all)[number]) => number) => all.filter((layer) => of(layer) > gate).length;
    record('quantization-language', 'layer output error, gptq to nearest, 4 bits g32', {
      on: 'ids the model made itself, calibrated on the odd paragraphs; each layer alone on the float model’s values; squared',
      layers: all.length,
      gate,
      largest: Math.max(...all.map(({ kernelOnNarrowedRanges }) => kernelOnNarrowedRanges)),
      median: median(({ kernelOnNarrowedRanges }) => kernelOnNarrowedRanges),
      medianOnTheRangesOfNearest: median(({ kernel }) => kernel),
      layersWhereNoRoundingReachesTheGate: {
        onTheRangesOfNearest: beyond(({ leastOnNearestGrid }) => leastOnNearestGrid),
        onNarrowedRanges: beyond(({ leastOnNarrowedRanges }) => leastOnNarrowedRanges),
      },
      ratios: layers,
    });
    for (const [name, layer] of Object.entries(layers)) {
      expect.soft(layer.sameCodes, name).toBeGreaterThan(0.99);
      expect.soft(Math.abs(layer.lossToTextbook - 1), name).toBeLessThan(0.01);
      expect.soft(layer.kernelOnNarrowedRanges, name).toBeLessThanOrEqual(0.75);
    }
  });
});

// The step that quantization and its preview share: a piece's weights into lines, and lines into codes.
import type { Bench, Weights } from '../bench';
import type { Factor } from '../factor';
import type { GroupPiece, GroupPlan } from '../group-plan';
import { type Address, type GroupLayout, type KernelSet, rules } from '../kernel-set';
import type { Rounding } from '../kernels';
import { codeOfZero } from '../reference/hqq';
import { type Grid, isTooSmallForFloats, type Loss } from '../reference/quantize';
import { noiseOf, roundWithFeedback } from './feedback';

/** How weights become codes. */
export interface Way {
  readonly rule: Grid['rule'];
  readonly rounding: Rounding;
  /** Where rounding is gptq. */
  readonly factor: Factor | null;
  /** Ranges are narrowed where that loses less. */
  readonly clips: boolean;
}

export interface QuantizedPiece extends GroupLayout {
  readonly floats: Address;
  readonly codes: Address;
  readonly scales: Address;
  /** uint8; the nearest code where zeros are floats. */
  readonly zeros: Address;
  readonly floatZeros: Address | null;
  /** How many codes and groups there are. */
  readonly codeCount: number;
  readonly groupCount: number;
  readonly loss: Loss;
  /** tr(ΔW·H·ΔWᵀ) where rounding is gptq, else 0. */
  readonly outputNoise: number;
  /** False where a weight is NaN or infinite. */
  readonly finite: boolean;
}

/** One channel a line: copied from the source, and turned where the source has channels side by side. */
export function loadLines(bench: Bench, weights: Weights, plan: GroupPlan, piece: GroupPiece): Address {
  const { shape } = plan;
  const { from, to } = plan.span(piece);
  const line = to - from;
  if (shape.order === 'rows') {
    const whole = line === shape.columns;
    if (whole && shape.taken === shape.of) return bench.load(weights, piece.row * line, piece.lines * line).at;
    const lines = bench.take(piece.lines * line * 4);
    for (let n = 0; n < piece.lines; n++) {
      bench.loadInto(lines + n * line * 4, weights, plan.storedRow(piece.row + n) * shape.columns + from, line);
    }
    return lines;
  }
  const stored = shape.whole ? 0 : plan.storedGroup(piece.groupFrom);
  const channel = shape.whole ? plan.storedRow(piece.row) : piece.row;
  const lines = bench.take(piece.lines * line * 4);
  const mark = bench.mark();
  let panel: Address;
  if (piece.lines === shape.rows) {
    panel = bench.load(weights, stored * shape.rows, line * shape.rows).at;
  } else {
    panel = bench.take(line * piece.lines * 4);
    for (let k = 0; k < line; k++) {
      bench.loadInto(panel + k * piece.lines * 4, weights, (stored + k) * shape.rows + channel, piece.lines);
    }
  }
  bench.fast.transposeFloats(lines, panel, line, piece.lines);
  bench.release(mark);
  return lines;
}

export function quantizePiece(
  bench: Bench,
  weights: Weights,
  plan: GroupPlan,
  piece: GroupPiece,
  way: Way,
): QuantizedPiece {
  const { from, to } = plan.span(piece);
  const { lines } = piece;
  const { padded } = plan;
  const line = to - from;
  const floats = loadLines(bench, weights, plan, piece);
  const groupCount = lines * piece.groups;
  const codeCount = padded > 0 ? groupCount * padded : lines * line;
  const room: Room = {
    ...{ floats, lines, line, group: plan.shape.group, padded, groupCount, codeCount },
    codes: bench.take(codeCount),
    scales: bench.take(groupCount * 4),
    zeros: bench.take(groupCount),
    loss: bench.take(3 * 8),
  };
  const floatZeros = way.rounding === 'hqq' ? bench.take(groupCount * 4) : null;
  const { bits } = plan.shape;
  const sums = new Float64Array(bench.memory.buffer, room.loss, 3);
  const tryWith = (kernels: KernelSet): boolean => {
    sums.fill(0);
    const done =
      floatZeros === null
        ? onIntegerZeros(bench, kernels, room, bits, way)
        : onFloatZeros(kernels, room, floatZeros, bits);
    return done && Number.isFinite(sums[0]! + sums[1]!);
  };
  const finite = tryWith(bench.fast);
  if (!finite) tryWith(bench.plain);
  if (floatZeros !== null) roundZeros(bench, room, floatZeros, bits);
  let outputNoise = 0;
  if (way.factor) {
    outputNoise = roundWithFeedback(bench, room, way.factor, bits);
    sums[1] = noiseOf(bench, room);
  } else if (floatZeros === null && isTooSmallForFloats({ signal: sums[0]!, noise: sums[1]! })) {
    sums[1] = noiseOf(bench, room);
  }
  const [signal, noise, clipped] = sums as unknown as [number, number, number];
  return { ...room, floatZeros, outputNoise, finite, loss: { signal, noise, clipped } };
}

/** Where a piece's weights are and its answers go. */
interface Room extends GroupLayout {
  readonly floats: Address;
  readonly codes: Address;
  readonly scales: Address;
  readonly zeros: Address;
  readonly loss: Address;
  readonly groupCount: number;
  readonly codeCount: number;
}

function onIntegerZeros(
  bench: Bench,
  kernels: KernelSet,
  room: Room,
  bits: number,
  { rule, clips, factor }: Way,
): boolean {
  const { codes, scales, zeros, loss, floats, lines, line, group, padded } = room;
  const layout = [floats, lines, line, group, padded, bits] as const;
  kernels.quantizeGroups(codes, scales, zeros, loss, ...layout, rules[rule]);
  if (!clips) return true;
  const mark = bench.mark();
  const scratch = bench.take(Math.min(group, line) * 4);
  kernels.clipScales(scales, zeros, floats, factor?.loudness ?? 0, lines, line, group, bits, scratch);
  bench.release(mark);
  new Float64Array(bench.memory.buffer, loss, 3).fill(0);
  kernels.quantizeGroups(codes, scales, zeros, loss, ...layout, rules.given);
  return true;
}

/** False where the fast kernel leaves the piece to the plain one. */
function onFloatZeros(kernels: KernelSet, room: Room, floatZeros: Address, bits: number): boolean {
  const { codes, scales, loss, floats, lines, line, group, padded } = room;
  return kernels.hqqGroups(codes, scales, floatZeros, loss, floats, lines, line, group, padded, bits) === 1;
}

function roundZeros(bench: Bench, { zeros, groupCount }: Room, floatZeros: Address, bits: number): void {
  const to = new Uint8Array(bench.memory.buffer, zeros, groupCount);
  const from = bench.floats(floatZeros, groupCount);
  for (let g = 0; g < groupCount; g++) to[g] = codeOfZero(from[g]!, 2 ** bits - 1);
}

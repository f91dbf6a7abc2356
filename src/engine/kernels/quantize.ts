// Block quantization of a whole tensor: pieces to the threads, their codes and scales to their places.
import { refuse } from '../../contract/words/refusal';
import { factorOf } from './factor';
import { GroupPlan, type GroupShape } from './group-plan';
import type { QuantizeRequest, QuantizeResult } from './kernels';
import type { Pool } from './pool';
import type { Grid, Loss } from './reference/quantize';
import type { Way } from './tasks/groups';
import type { QuantizePiece } from './tasks/quantize';
import { requireFloats } from './tensor-source';

/** The grid and the cut that a request asks for. */
export function planOf(request: QuantizeRequest, count: number): { plan: GroupPlan; rule: Grid['rule'] } {
  const { tensor, rows, columns, order, bits, groupSize, pack, symmetric, scaleRule, sampleRows } = request;
  if (rows * columns !== count) throw new RangeError(`${tensor.name} has ${count} weights, not ${rows} × ${columns}`);
  if (groupSize < 0 || !Number.isInteger(groupSize)) throw new RangeError(`a group of ${groupSize} weights`);
  const group = groupSize === 0 ? Math.max(1, columns) : groupSize;
  const groups = Math.ceil(columns / group);
  // A sample smaller than a group along K is of channels.
  const whole = request.rounding === 'gptq' || (order === 'columns' && sampleRows !== undefined && sampleRows < group);
  const of = order === 'rows' || whole ? rows : groups;
  // A share of the stored rows is a share of groups along K, or of whole channels.
  const unit = order === 'rows' ? 1 : whole ? columns / rows : group;
  const wanted = sampleRows === undefined ? of : Math.round(sampleRows / unit);
  const taken = Math.min(of, Math.max(1, wanted));
  const shape: GroupShape = { rows, columns, order, group, bits, pack, taken, of, whole };
  return { plan: new GroupPlan(shape), rule: symmetric ? scaleRule : 'asymmetric' };
}

/** How the request wants codes found; makes the factor of its Hessian where that is needed. Slots must have grown before. */
export async function wayOf(pool: Pool, request: QuantizeRequest, rule: Grid['rule']): Promise<Way> {
  const { rounding = 'nearest', hessian, damping = 0.01, clips = false, columns, signal } = request;
  if (rounding !== 'gptq') return { rule, rounding, factor: null, clips: rounding === 'mse' };
  if (hessian?.columns !== columns) throw new RangeError(`gptq needs a Hessian of ${columns} columns`);
  return { rule, rounding, factor: await factorOf(pool, hessian, damping, signal), clips };
}

export async function quantize(pool: Pool, request: QuantizeRequest): Promise<QuantizeResult> {
  const { tensor, bits, symmetric, zero, signal, rounding } = request;
  const { count, ...weights } = requireFloats(tensor, 'quantized');
  const { plan, rule } = planOf(request, count);
  const flip = zero === 'signed' ? 2 ** (bits - 1) : 0;
  const codes = allocate(codeBytes(plan), tensor.name);
  const groups = plan.rows * plan.groups;
  const half = rounding === 'hqq';
  const made: Grids = {
    scales: new Float32Array(groups),
    zeroPoints: symmetric || half ? null : new Uint8Array(groups),
    floatZeroPoints: half ? new Float32Array(groups) : null,
  };
  const losses: Loss[] = [];
  const outputNoises: number[] = [];
  if (count > 0) {
    pool.arena.growSlots(plan.slotBytes, tensor.name);
    const way = await wayOf(pool, request, rule);
    await pool.run({
      name: 'quantize',
      ask: { weights, shape: plan.shape, way, flip },
      pieces: plan.pieces,
      here: weights.source.kind === 'bytes',
      signal,
      onPiece(index, piece) {
        losses[index] = piece.loss;
        outputNoises[index] = piece.outputNoise;
        placeCodes(codes, plan, index, piece.codes);
        placeScales(made, plan, index, piece, flip, bits);
      },
    });
  }
  const outputNoise = rounding === 'gptq' ? outputNoises.reduce((sum, noise) => sum + noise, 0) : null;
  return { codes, ...made, outputNoise, ...totalLoss(losses) };
}

/** In the order of the pieces, whatever order they came in. */
export function totalLoss(losses: readonly Loss[]): Loss {
  const total: Loss = { signal: 0, noise: 0, clipped: 0 };
  for (const { signal, noise, clipped } of losses) {
    total.signal += signal;
    total.noise += noise;
    total.clipped += clipped;
  }
  return total;
}

function codeBytes({ rows, columns, groups, padded, shape }: GroupPlan): number {
  return shape.pack === 'blocks'
    ? rows * groups * ((padded * shape.bits) / 8)
    : Math.ceil((rows * columns * shape.bits) / 8);
}

function allocate(bytes: number, name: string): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch {
    return refuse('does-not-fit', `The codes of ${name} take ${bytes} bytes, more than can be held in memory.`);
  }
}

function placeCodes(codes: Uint8Array, plan: GroupPlan, index: number, piece: Uint8Array): void {
  const { shape, groups, padded, rows, columns } = plan;
  const { row, lines, groupFrom, groups: own } = plan.piece(index);
  const { from, to } = plan.span(plan.piece(index));
  const bytes = (count: number) => (count * shape.bits) / 8;
  if (shape.pack === 'blocks') {
    const blob = bytes(padded);
    placeRuns(codes, (row * groups + groupFrom) * blob, groups * blob, piece, lines, own * blob);
    return;
  }
  const [first, step, runs, run] =
    shape.order === 'rows'
      ? [row * columns + from, columns, lines, to - from]
      : [from * rows + row, rows, to - from, lines];
  if (run === step || runs === 1) {
    if (plan.packsInPieces) codes.set(piece, bytes(first));
    else for (let i = 0; i < piece.length; i++) placeCode(codes, first + i, shape.bits, piece[i]!);
  } else if (plan.packsInPieces) {
    placeRuns(codes, bytes(first), bytes(step), piece, runs, bytes(run));
  } else {
    for (let i = 0; i < piece.length; i++) {
      placeCode(codes, first + Math.floor(i / run) * step + (i % run), shape.bits, piece[i]!);
    }
  }
}

/** Copies `runs` runs of `run` bytes to `first`, `first + step` …; by words where all are whole words. */
function placeRuns(to: Uint8Array, first: number, step: number, from: Uint8Array, runs: number, run: number): void {
  if (run === step) {
    to.set(from, first);
  } else if ((first | step | run) % 4 === 0 && run <= 256) {
    const target = new Uint32Array(to.buffer, to.byteOffset, to.length >> 2);
    const words = new Uint32Array(from.buffer, from.byteOffset, from.length >> 2);
    const width = run >> 2;
    for (let r = 0, w = 0; r < runs; r++) {
      const at = (first + r * step) >> 2;
      for (let i = 0; i < width; i++) target[at + i] = words[w++]!;
    }
  } else {
    for (let r = 0; r < runs; r++) to.set(from.subarray(r * run, (r + 1) * run), first + r * step);
  }
}

/** For pieces that begin within a byte. The place was zero. */
function placeCode(codes: Uint8Array, index: number, bits: number, code: number): void {
  const perByte = 8 / bits;
  codes[Math.floor(index / perByte)]! |= (code & (2 ** bits - 1)) << ((index % perByte) * bits);
}

type Grids = Pick<QuantizeResult, 'scales' | 'zeroPoints' | 'floatZeroPoints'>;

function placeScales(
  { scales, zeroPoints, floatZeroPoints }: Grids,
  plan: GroupPlan,
  index: number,
  piece: QuantizePiece,
  flip: number,
  bits: number,
): void {
  const { row, lines, groupFrom, groups } = plan.piece(index);
  // Taking 2^(bits−1) off makes a byte two's complement.
  const shift = flip === 0 ? 0 : 2 ** (bits - 1);
  for (let n = 0; n < lines; n++) {
    const to = (row + n) * plan.groups + groupFrom;
    for (let g = 0; g < groups; g++) {
      scales[to + g] = piece.scales[n * groups + g]!;
      if (zeroPoints) zeroPoints[to + g] = piece.zeros[n * groups + g]! - shift;
      if (floatZeroPoints) floatZeroPoints[to + g] = piece.floatZeros![n * groups + g]! - shift;
    }
  }
}

// The step that quantization and its preview share: a piece's weights into lines, and lines into codes.
import type { Bench, Weights } from '../bench';
import type { GroupPiece, GroupPlan } from '../group-plan';
import { type Address, type GroupLayout, rules } from '../kernel-set';
import type { Grid, Loss } from '../reference/quantize';

export interface QuantizedPiece extends GroupLayout {
  readonly floats: Address;
  readonly codes: Address;
  readonly scales: Address;
  readonly zeros: Address;
  /** How many codes and groups there are. */
  readonly codeCount: number;
  readonly groupCount: number;
  readonly loss: Loss;
  /** False where a weight is NaN or infinite. */
  readonly finite: boolean;
}

/** One channel a line: copied from the source, and turned where the source has channels side by side. */
function loadLines(bench: Bench, weights: Weights, plan: GroupPlan, piece: GroupPiece): Address {
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
  const stored = plan.storedGroup(piece.groupFrom);
  const lines = bench.take(piece.lines * line * 4);
  const mark = bench.mark();
  let panel: Address;
  if (piece.lines === shape.rows) {
    panel = bench.load(weights, stored * shape.rows, line * shape.rows).at;
  } else {
    panel = bench.take(line * piece.lines * 4);
    for (let k = 0; k < line; k++) {
      bench.loadInto(panel + k * piece.lines * 4, weights, (stored + k) * shape.rows + piece.row, piece.lines);
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
  rule: Grid['rule'],
): QuantizedPiece {
  const { group, bits } = plan.shape;
  const { from, to } = plan.span(piece);
  const { lines } = piece;
  const line = to - from;
  const { padded } = plan;
  const floats = loadLines(bench, weights, plan, piece);
  const groupCount = lines * piece.groups;
  const codeCount = padded > 0 ? groupCount * padded : lines * line;
  const codes = bench.take(codeCount);
  const scales = bench.take(groupCount * 4);
  const zeros = bench.take(groupCount);
  const lossAt = bench.take(3 * 8);
  const loss = new Float64Array(bench.memory.buffer, lossAt, 3);
  loss.fill(0);
  bench.fast.quantizeGroups(codes, scales, zeros, lossAt, floats, lines, line, group, padded, bits, rules[rule]);
  const finite = Number.isFinite(loss[0]! + loss[1]!);
  if (!finite) {
    loss.fill(0);
    bench.plain.quantizeGroups(codes, scales, zeros, lossAt, floats, lines, line, group, padded, bits, rules[rule]);
  }
  const [signal, noise, clipped] = loss as unknown as [number, number, number];
  return {
    ...{ floats, codes, scales, zeros, codeCount, groupCount, lines, line, group, padded, finite },
    loss: { signal, noise, clipped },
  };
}

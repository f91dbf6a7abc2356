// Gradients of operators that move elements without computing: g is moved back, and summed where an element was used several times.
import { readInt, readIntList, readString } from '../../graph/edit';
import { axesFrom, filled, reshape, sum, transpose as transposed } from '../emit';
import type { Rule } from '../tape';

/** Reshape, Flatten, Squeeze, Unsqueeze: ∂x = g in x's shape. */
export const reshapeBack: Rule = (tape, { inputs }, [g]) => [
  reshape(tape, g!, tape.known(inputs[0]!).dims),
  ...inputs.slice(1).map(() => null),
];

/** y = x with axes exchanged: ∂x = g with them exchanged back. */
export const transpose: Rule = (tape, node, [g]) => {
  const rank = tape.known(g!).dims.length;
  const perm = readIntList(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return [
    transposed(
      tape,
      g!,
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ];
};

/** y = x repeated by broadcasting: ∂x = g summed over the repeats. */
export const expandBack: Rule = (tape, { inputs: [x] }, [g]) => [tape.unbroadcast(g!, tape.known(x!)), null];

/** y = x repeated rᵢ times along axis i: g as [r₀, d₀, r₁, d₁, …], summed over the r. */
export const tile: Rule = (tape, { inputs: [x] }, [g]) => {
  const { dims } = tape.known(x!);
  const repeats = tape.known(g!).dims.map((dim, i) => (dims[i] === 0 ? 0 : dim / dims[i]!));
  // An axis that is not repeated needs no place of its own.
  const parts = dims.flatMap((dim, i) =>
    repeats[i] === 1
      ? [{ dim, isRepeat: false }]
      : [
          { dim: repeats[i]!, isRepeat: true },
          { dim, isRepeat: false },
        ],
  );
  const apart = reshape(
    tape,
    g!,
    parts.map(({ dim }) => dim),
  );
  return [
    sum(
      tape,
      apart,
      parts.flatMap(({ isRepeat }, i) => (isRepeat ? [i] : [])),
      false,
    ),
    null,
  ];
};

/** y = x₁ … xₙ one after the other: each gets its piece of g. */
export const concat: Rule = (tape, node, [g]) => {
  const { dtype, dims } = tape.known(g!);
  const axis = axesFrom([readInt(node, 'axis', 0)], dims.length)[0]!;
  const pieces = node.inputs.map((name) => tape.known(name));
  if (node.inputs.length === 1) return [g!];
  if (node.inputs.every((name) => tape.wants(name)))
    return tape.emitMany('Split', [g!, tape.ints(pieces.map((piece) => piece.dims[axis]!))], pieces, { axis });
  let at = 0;
  return node.inputs.map((name, i) => {
    const start = at;
    at += pieces[i]!.dims[axis]!;
    if (!tape.wants(name)) return null;
    return tape.emit('Slice', [g!, tape.ints([start]), tape.ints([at]), tape.ints([axis])], {
      dtype,
      dims: pieces[i]!.dims,
    });
  });
};

/** y₁ … yₙ = pieces of x: ∂x = their gradients one after the other, zeros for a piece nobody used. */
export const split: Rule = (tape, node, gradients) => {
  const x = tape.known(node.inputs[0]!);
  const axis = axesFrom([readInt(node, 'axis', 0)], x.dims.length)[0]!;
  const pieces = gradients.map((g, i) => {
    if (g !== null) return g;
    const { dims } = tape.known(tape.output(node, i, pieceOf(i)));
    return filled(tape, 0, x.dtype, dims);
  });
  return [tape.emit('Concat', pieces, x, { axis }), null].slice(0, node.inputs.length);

  /** A piece without a name: the sizes are given, or equal with a shorter last one. */
  function pieceOf(i: number): { dtype: typeof x.dtype; dims: number[] } {
    const whole = x.dims[axis]!;
    const sizes = tape.constant(node.inputs[1]);
    const step = Math.ceil(whole / gradients.length);
    const size = sizes?.[i] ?? Math.max(0, Math.min(step, whole - i * step));
    return { dtype: x.dtype, dims: x.dims.map((dim, j) => (j === axis ? size : dim)) };
  }
};

/** [b, c, h, w] → [b, c/s², h·s, w·s]: moved back by the other operator, by hand where it has no such order of channels. */
export const depthToSpace: Rule = (tape, node, [g]) => {
  const x = tape.known(node.inputs[0]!);
  const size = readInt(node, 'blocksize', 1);
  if (readString(node, 'mode', 'DCR') === 'DCR') return [tape.emit('SpaceToDepth', [g!], x, { blocksize: size })];
  const [b, c, h, w] = x.dims as [number, number, number, number];
  // CRD: x is [b, c/s², s, s, h, w], y is [b, c/s², h, s, w, s].
  const apart = reshape(tape, g!, [b, c / size ** 2, h, size, w, size]);
  return [reshape(tape, transposed(tape, apart, [0, 1, 3, 5, 2, 4]), x.dims)];
};

/** [b, c, h·s, w·s] → [b, c·s², h, w]: moved back by DepthToSpace. */
export const spaceToDepth: Rule = (tape, node, [g]) => [
  tape.emit('DepthToSpace', [g!], tape.known(node.inputs[0]!), {
    blocksize: readInt(node, 'blocksize', 1),
    mode: 'DCR',
  }),
];

/** y = the first elements of each sequence backwards: ∂x = g likewise. */
export const reverseSequence: Rule = (tape, node, [g]) => [
  tape.emit('ReverseSequence', [g!, node.inputs[1]!], tape.known(g!), Object.fromEntries(node.attributes)),
  null,
];

/** y = running sums of x: ∂x = running sums of g from the other end. */
export const cumSum: Rule = (tape, node, [g]) => {
  const attributes = { exclusive: readInt(node, 'exclusive', 0), reverse: 1 - readInt(node, 'reverse', 0) };
  return [tape.emit('CumSum', [g!, node.inputs[1]!], tape.known(g!), attributes), null];
};

/** y = the upper or lower triangle of x: ∂x = the same triangle of g. */
export const trilu: Rule = (tape, node, [g]) => {
  const k = node.inputs[1];
  const made = tape.emit('Trilu', k ? [g!, k] : [g!], tape.known(g!), { upper: readInt(node, 'upper', 1) });
  return node.inputs.map((_, i) => (i === 0 ? made : null));
};

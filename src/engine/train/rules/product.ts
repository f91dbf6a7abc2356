// Gradients of matrix products: MatMul with vectors and broadcast batches, Gemm, Einsum.
import { refuse } from '../../../contract/words/refusal';
import { floatAttribute, readFloat, readInt, readString } from '../../graph/edit';
import { elementCount, type Node } from '../../graph/graph';
import { expand, matMul as product, reshape, scaled, swapLast } from '../emit';
import type { Rule, Tape } from '../tape';

/** Y = A·B: ∂A = G·Bᵀ, ∂B = Aᵀ·G, summed over the batches that were broadcast. A vector is a row on the left, a column on the right. */
export const matMul: Rule = (tape, { inputs: [a, b] }, [g]) => {
  const [aDims, bDims] = [tape.known(a!).dims, tape.known(b!).dims];
  const left = aDims.length === 1 ? [1, ...aDims] : aDims;
  const right = bDims.length === 1 ? [...bDims, 1] : bDims;
  const lead = tape.known(g!).dims.slice(0, Math.max(left.length, right.length) - 2);
  const A = reshape(tape, a!, left);
  const B = reshape(tape, b!, right);
  const G = reshape(tape, g!, [...lead, left.at(-2)!, right.at(-1)!]);
  const shaped = (gradient: string, name: string, dims: readonly number[]): string =>
    reshape(tape, tape.unbroadcast(gradient, { ...tape.known(name), dims }), tape.known(name).dims);
  return [
    tape.wants(a) ? shaped(timesTransposed(tape, G, B), a!, left) : null,
    tape.wants(b) ? shaped(transposedTimes(tape, A, G, right.length), b!, right) : null,
  ];
};

/** G·Bᵀ; as one Gemm where both are matrices. */
function timesTransposed(tape: Tape, G: string, B: string): string {
  const [g, b] = [tape.known(G), tape.known(B)];
  if (g.dims.length !== 2 || b.dims.length !== 2) return product(tape, G, swapLast(tape, B));
  return tape.emit('Gemm', [G, B], { dtype: g.dtype, dims: [g.dims[0]!, b.dims[0]!] }, { transB: 1 });
}

/** Aᵀ·G; one large Gemm where a plain matrix served the whole batch: the batch is then only more rows to sum over. */
function transposedTimes(tape: Tape, A: string, G: string, rank: number): string {
  const [a, g] = [tape.known(A), tape.known(G)];
  const isShared = rank === 2 && a.dims.length === g.dims.length;
  if (!isShared) return product(tape, swapLast(tape, A), G);
  const rows = elementCount(a.dims.slice(0, -1));
  const [k, n] = [a.dims.at(-1)!, g.dims.at(-1)!];
  const [flatA, flatG] = [reshape(tape, A, [rows, k]), reshape(tape, G, [rows, n])];
  return tape.emit('Gemm', [flatA, flatG], { dtype: a.dtype, dims: [k, n] }, { transA: 1 });
}

/** Y = α·A′·B′ + β·C, where ′ may transpose: ∂A′ = α·G·B′ᵀ, ∂B′ = α·A′ᵀ·G, ∂C = β·G. */
export const gemm: Rule = (tape, node, [g]) => {
  const [a, b, c] = node.inputs;
  const transA = readInt(node, 'transA', 0) !== 0;
  const transB = readInt(node, 'transB', 0) !== 0;
  const alpha = floatAttribute(readFloat(node, 'alpha', 1));
  const into = (name: string, left: string, right: string, transLeft: boolean, transRight: boolean): string =>
    tape.emit('Gemm', [left, right], tape.known(name), {
      alpha,
      transA: Number(transLeft),
      transB: Number(transRight),
    });
  const gradients = [
    tape.wants(a) ? (transA ? into(a!, b!, g!, transB, true) : into(a!, g!, b!, false, !transB)) : null,
    tape.wants(b) ? (transB ? into(b!, g!, a!, true, transA) : into(b!, a!, g!, !transA, false)) : null,
  ];
  if (c === undefined) return gradients;
  const beta = readFloat(node, 'beta', 1);
  return [...gradients, tape.wants(c) ? scaled(tape, tape.unbroadcast(g!, tape.known(c)), beta) : null];
};

/**
 * Each operand's gradient is the Einsum of g with the other operands, into that operand's letters. Letters that only it has were
 * summed over: there the gradient is the same all along.
 */
export const einsum: Rule = (tape, node, [g]) => {
  const { terms, output } = lettersOf(tape, node);
  return node.inputs.map((name, i) => {
    if (!tape.wants(name)) return null;
    const own = terms[i]!;
    const { dtype, dims } = tape.known(name);
    if (new Set(own).size < own.length)
      refuse(
        'unsupported',
        `The layer "${node.name}" takes a diagonal (Einsum ${own}); gradients are not made of that.`,
      );
    const others = terms.flatMap((term, j) => (j === i ? [] : [{ term, name: node.inputs[j]! }]));
    const given = [{ term: output, name: g! }, ...others];
    const sizes = new Map<string, number>();
    for (const part of given)
      for (const [axis, letter] of [...part.term].entries())
        sizes.set(letter, Math.max(sizes.get(letter) ?? 1, tape.known(part.name).dims[axis]!));
    const kept = [...own].filter((letter) => sizes.has(letter));
    const made = tape.emit(
      'Einsum',
      given.map((part) => part.name),
      { dtype, dims: kept.map((letter) => sizes.get(letter)!) },
      { equation: `${given.map(({ term }) => term).join()}->${kept.join('')}` },
    );
    const whole = reshape(
      tape,
      made,
      [...own].map((letter) => sizes.get(letter) ?? 1),
    );
    // A size of 1 that was broadcast is summed; a letter nobody else has is repeated.
    return expand(
      tape,
      tape.unbroadcast(whole, { dtype, dims: dims.map((dim, axis) => (sizes.has(own[axis]!) ? dim : 1)) }),
      dims,
    );
  });
};

/** The equation with its ellipsis spelled out in letters that it does not use, and the output written where it is implied. */
function lettersOf(tape: Tape, node: Node): { terms: string[]; output: string } {
  const [left, right] = readString(node, 'equation', '').replaceAll(' ', '').split('->') as [
    string,
    string | undefined,
  ];
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].filter((letter) => !left.includes(letter));
  const written = left.split(',');
  const open = written.map((term, i) =>
    term.includes('...') ? tape.known(node.inputs[i]!).dims.length - (term.length - 3) : 0,
  );
  const rank = Math.max(0, ...open);
  const dots = free.slice(0, rank).join('');
  const terms = written.map((term, i) => term.replace('...', dots.slice(rank - open[i]!)));
  if (right !== undefined) return { terms, output: right.replace('...', dots) };
  const all = [...left.replaceAll(/[.,]/g, '')];
  const once = all.filter((letter) => all.indexOf(letter) === all.lastIndexOf(letter)).sort();
  return { terms, output: dots + once.join('') };
}

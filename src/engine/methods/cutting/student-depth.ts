// A shallower copy: every second block of a residual network is left out, what came into it goes on behind it.
import type { Refusal } from '../../../contract/words/refusal';
import { withInputs, withoutUnused } from '../../graph/edit';
import type { Graph, Node } from '../../graph/graph';
import { consumers, producers, subgraphs } from '../../graph/walk';
import type { Subject } from '../method';

/** A sum of a value and what a few layers make of it. */
interface Branch {
  /** What goes in, and on where the branch is left out. */
  readonly from: string;
  /** What comes out: the sum, or the norm right behind it where norms stand behind sums. */
  readonly to: string;
  readonly nodes: ReadonlySet<Node>;
  /** Operators of the branch: blocks of one network repeat them. */
  readonly kind: string;
}

export interface ShallowerPlan {
  readonly dropped: readonly (readonly Branch[])[];
  readonly blocks: number;
}

/** A transformer's block is attention and MLP; of some, norms or experts stand apart. */
const mostBranches = 4;

const no = (sentence: string, mend: string): { readonly refusal: Refusal } => ({
  refusal: { code: 'unsupported', sentence, mend },
});

/** Blocks that are left out so that `share` of them stays. */
export function shallowerPlan(subject: Subject, share: number): ShallowerPlan | { readonly refusal: Refusal } {
  const { graph } = subject.model;
  if (graph.nodes.some((node) => subgraphs(node).length > 0))
    return no('The model has branches or loops, through which blocks are not followed.', 'Take the thinner student.');
  const { branches, cached } = branchesOf(subject);
  if (cached)
    return no(
      `${cached} leaves the model from within a block: without the block, nothing would make it.`,
      'Export the model without caches, or take its child as the student.',
    );
  const blocks = blocksOf(branches);
  if (blocks.length < 2)
    return no(
      'It has no two blocks that add to what they are given and keep its shape; none can be left out.',
      'Take the thinner student, or prune channels first and let the child be the student.',
    );
  const kept = Math.min(blocks.length - 1, Math.max(1, Math.round(share * blocks.length)));
  const stays = new Set(Array.from({ length: kept }, (_, i) => Math.floor((i * blocks.length) / kept)));
  return { dropped: blocks.filter((_, i) => !stays.has(i)), blocks: blocks.length };
}

/** The graph without these blocks and without the weights that only they read. */
export function takenOut(graph: Graph, { dropped, blocks }: ShallowerPlan): { graph: Graph; note: string } {
  const instead = new Map(dropped.flat().map(({ from, to }) => [to, from]));
  const through = (name: string): string => {
    let at = name;
    for (let next = instead.get(at); next !== undefined; next = instead.get(at)) at = next;
    return at;
  };
  const gone = new Set(dropped.flat().flatMap(({ nodes }) => [...nodes]));
  const nodes = graph.nodes.filter((node) => !gone.has(node)).map((node) => withInputs(node, node.inputs.map(through)));
  return {
    graph: withoutUnused({ ...graph, nodes }),
    note: `The student begins with ${blocks - dropped.length} of ${blocks} blocks of its teacher.`,
  };
}

/** Residual branches in the order of the graph that nothing outside reads into; `cached`: an output that one of them makes. */
function branchesOf({ model, sites, shapes }: Subject): { branches: Branch[]; cached: string | null } {
  const { graph } = model;
  const made = producers(graph);
  const users = consumers(graph);
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  const layers = new Set(sites.map(({ node }) => node));
  const leaving = new Set(graph.outputs.map(({ name }) => name));
  const sameShape = (one: string, other: string): boolean => {
    const [a, b] = [shapes.get(one)?.shape, shapes.get(other)?.shape];
    return !a || !b || (a.length === b.length && a.every((dim, i) => dim === b[i] || dim === null || b[i] === null));
  };
  const isNorm = (node: Node | undefined): boolean => node?.op.endsWith('Normalization') ?? false;
  const found: Branch[] = [];
  let cached: string | null = null;
  for (const sum of graph.nodes) {
    if (sum.op !== 'Add' || sum.domain !== '') continue;
    for (const [from, end] of [sum.inputs, sum.inputs.toReversed()] as [string, string][]) {
      const nodes = between(from, end, made, order);
      if (![...nodes].some((node) => layers.has(node))) continue;
      const to = sum.outputs[0]!;
      if (leaving.has(to) || !sameShape(from, to)) continue;
      // Only the innermost sum is a branch of its own.
      if (found.some((inner) => [...inner.nodes].some((node) => nodes.has(node)))) continue;
      const inside = (node: Node): boolean => nodes.has(node) || node === sum;
      const outputs = [...nodes].flatMap((node) => node.outputs.filter((name) => name !== ''));
      const out = outputs.find((name) => leaving.has(name));
      if (out) {
        cached ??= out;
        continue;
      }
      if (!outputs.every((name) => (users.get(name) ?? []).every(inside))) continue;
      const behind = users.get(to) ?? [];
      const norm = behind.length === 1 && isNorm(behind[0]) && isNorm(made.get(from)) ? behind[0]! : null;
      const whole = new Set([...nodes, sum, ...(norm ? [norm] : [])]);
      const kind = [...nodes]
        .map(({ op }) => op)
        .sort()
        .join();
      const last = norm ? norm.outputs[0]! : to;
      if (!leaving.has(last)) found.push({ from, to: last, nodes: whole, kind });
    }
  }
  return { branches: found, cached };
}

/** Nodes on the ways from a value to another; none where no way leads there. */
function between(
  from: string,
  end: string,
  made: ReadonlyMap<string, Node>,
  order: ReadonlyMap<Node, number>,
): ReadonlySet<Node> {
  const before = new Set<Node>();
  const queue = [made.get(end)];
  for (let node = queue.pop(); node || queue.length > 0; node = queue.pop()) {
    if (!node || before.has(node) || node.outputs.includes(from)) continue;
    before.add(node);
    queue.push(...node.inputs.map((name) => made.get(name)));
  }
  const reached = new Set([from]);
  const nodes = new Set<Node>();
  for (const node of [...before].sort((a, b) => order.get(a)! - order.get(b)!)) {
    if (!node.inputs.some((name) => reached.has(name))) continue;
    nodes.add(node);
    for (const name of node.outputs) reached.add(name);
  }
  return reached.has(end) ? nodes : new Set();
}

/** Branches gathered as they repeat: A B A B are two blocks of two. */
function blocksOf(branches: readonly Branch[]): (readonly Branch[])[] {
  for (let period = 1; period <= mostBranches; period++) {
    if (branches.length % period !== 0) continue;
    if (!branches.every(({ kind }, i) => kind === branches[i % period]!.kind)) continue;
    return Array.from({ length: branches.length / period }, (_, i) => branches.slice(i * period, (i + 1) * period));
  }
  return [];
}

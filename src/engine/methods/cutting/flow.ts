// Samples on their way through a model that is being changed: each value is computed once, by the layers as they are by then.
import { withoutUnused } from '../../graph/edit';
import type { Graph, Model, Node, Value } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { producers, usedBy } from '../../graph/walk';
import type { Feed } from '../../runtime/session';
import { openTaps } from '../../runtime/taps';
import type { Gathering } from './gathering';
import { Held } from './held';

export interface FlowLimit {
  readonly samples: number;
  /** Token ids in all samples together; no bound where absent. */
  readonly tokens?: number;
}

/** Above this many parameters samples end at `mostTokens`. */
const largeModel = 1_000_000_000;
const mostTokens = 8192;

/** Token ids that methods which learn layer by layer look at in all samples together; null where as many as there are. */
export function mostTokensOf(sites: readonly LayerSite[]): number | null {
  return sites.reduce((sum, { parameters }) => sum + parameters, 0) > largeModel ? mostTokens : null;
}

/**
 * The model is run piece by piece: from the values that are held to the next one that is asked for, and only what later pieces need is kept.
 * Memory is that of one piece and of what flows between two. Layers before the value asked for must have their last form; those behind it
 * have not run yet.
 */
export class Flow {
  private readonly done = new Set<string>();

  private constructor(
    private readonly held: Held,
    private readonly gathering: Gathering,
    readonly samples: number,
  ) {}

  static async open(gathering: Gathering, limit: FlowLimit): Promise<Flow> {
    const { calibration, folder } = gathering;
    if (!calibration) throw new Error('samples are asked for where no step announced the need');
    const held = new Held(folder);
    let samples = 0;
    let tokens = 0;
    try {
      for await (const feeds of calibration.batches(limit.samples)) {
        for (const [name, feed] of Object.entries(feeds)) await held.push(name, feed);
        samples++;
        tokens += Math.max(...Object.values(feeds).map(({ dtype, data }) => (dtype === 'int64' ? data.length : 0)));
        if (limit.tokens !== undefined && tokens >= limit.tokens) break;
      }
    } catch (error) {
      await held.close();
      throw error;
    }
    const flow = new Flow(held, gathering, samples);
    for (const name of held.names) flow.done.add(name);
    return flow;
  }

  /** Runs to `value` and shows it, sample by sample. `later`: what will be asked for after it. */
  async visit(
    model: Model,
    value: string,
    later: readonly string[],
    see: (feed: Feed, sample: number) => Promise<void> | void,
  ): Promise<void> {
    const { held, done, gathering } = this;
    const { graph } = model;
    if (held.has(value)) {
      for (let i = 0; i < this.samples; i++) await see(await held.read(value, i), i);
      return;
    }
    const isConstant = (name: string): boolean => graph.initializers.has(name) || graph.sparse.has(name);
    const piece = behind(graph, [value], done);
    const made = new Set(piece.flatMap(({ outputs }) => outputs));
    const inputs = [...new Set(piece.flatMap((node) => [...usedBy(node)]))].filter(
      (name) => !made.has(name) && !isConstant(name),
    );
    for (const name of made) done.add(name);
    const rest = behind(graph, later, done);
    const wanted = new Set([...later, ...rest.flatMap((node) => [...usedBy(node)])]);
    const kept = [...made].filter((name) => name !== '' && wanted.has(name));

    const first = new Map<string, Feed>();
    for (const name of inputs) first.set(name, await held.read(name, 0));
    const excerpt = excerptOf(graph, piece, first, [...new Set([value, ...kept])]);
    const taps = await openTaps({ ...model, graph: excerpt }, [...new Set([value, ...kept])], gathering.folder);
    try {
      for (let i = 0; i < this.samples; i++) {
        gathering.signal.throwIfAborted();
        const feeds: Record<string, Feed> = {};
        for (const name of inputs) feeds[name] = await held.read(name, i);
        const values = await taps.run(feeds);
        await see(values.get(value)!, i);
        for (const name of kept) await held.push(name, values.get(name)!);
      }
    } finally {
      await taps.close();
    }
    for (const name of [...held.names]) if (!wanted.has(name)) await held.drop(name);
  }

  async close(): Promise<void> {
    await this.held.close();
  }
}

/** Nodes that must still run for these values, in the order of the graph. */
function behind(graph: Graph, values: readonly string[], done: ReadonlySet<string>): Node[] {
  const made = producers(graph);
  const found = new Set<Node>();
  const open = [...values];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = done.has(name) ? undefined : made.get(name);
    if (!node || found.has(node)) continue;
    found.add(node);
    open.push(...usedBy(node));
  }
  return graph.nodes.filter((node) => found.has(node));
}

function excerptOf(
  graph: Graph,
  nodes: readonly Node[],
  first: ReadonlyMap<string, Feed>,
  outputs: readonly string[],
): Graph {
  const declared = new Map(graph.inputs.map((input) => [input.name, input]));
  const inputs = [...first].map(([name, { dtype, dims }]): Value => {
    const type = { kind: 'tensor', dtype, shape: dims.map(() => null) } as const;
    return declared.get(name) ?? { name, type };
  });
  const values = outputs.map((name): Value => graph.values.get(name) ?? { name, type: null });
  return withoutUnused({ ...graph, nodes, inputs, outputs: values });
}

// Where a model keeps keys and values between calls: GroupQueryAttention nodes whose past comes in and whose present goes out.
import { readInt, readString } from '../../graph/edit';
import type { Node, Value } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { consumers, producers } from '../../graph/walk';
import type { Subject } from '../method';

/** Inputs and outputs of GroupQueryAttention. */
export const pastInputs = [3, 4] as const;
export const presentOutputs = [1, 2] as const;
export const scaleInputs = [12, 13] as const;

export interface Cache {
  readonly node: Node;
  readonly heads: number;
  /** Channels of a head. */
  readonly size: number;
  /** Layers that make its keys and values, through biases, norms and reshapes. */
  readonly makers: readonly LayerSite[];
  /** Why it cannot be kept in fewer bits; null where it can. */
  readonly reason: string | null;
}

const known = new WeakMap<Subject, readonly Cache[]>();

export function cachesOf(subject: Subject): readonly Cache[] {
  let found = known.get(subject);
  if (!found) known.set(subject, (found = findCaches(subject)));
  return found;
}

function findCaches(subject: Subject): Cache[] {
  const { graph } = subject.model;
  const users = consumers(graph);
  const made = producers(graph);
  const sites = new Map(subject.sites.map((site) => [site.node, site]));
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  const outputs = new Map(graph.outputs.map((output) => [output.name, output]));
  return graph.nodes.flatMap((node) => {
    if (node.op !== 'GroupQueryAttention' || node.domain !== 'com.microsoft') return [];
    const heads = readInt(node, 'kv_num_heads', 0);
    const keyless = (node.inputs[1] ?? '') === '';
    const width = subject.shapes.get(node.inputs[keyless ? 0 : 1]!)?.shape?.at(-1);
    const size = typeof width === 'number' ? width / (keyless ? readInt(node, 'num_heads', 0) + 2 * heads : heads) : 0;
    const makers = new Set<LayerSite>();
    const seen = new Set<string>();
    const open = keyless ? [node.inputs[0]!] : node.inputs.slice(1, 3);
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      const maker = made.get(value);
      if (!maker || seen.has(value)) continue;
      seen.add(value);
      const site = sites.get(maker);
      if (site) makers.add(site);
      else open.push(...maker.inputs);
    }
    return [{ node, heads, size, makers: [...makers], reason: reasonOf(node, size) }];
  });

  function reasonOf(node: Node, size: number): string | null {
    const isAlready = [readString(node, 'k_quant_type', 'NONE'), readString(node, 'v_quant_type', 'NONE')];
    if (isAlready.some((type) => type !== 'NONE')) return 'Its cache is in few bits already.';
    if (!Number.isInteger(size) || size <= 0) return 'The size of its heads is not known.';
    const past = pastInputs.map((at) => node.inputs[at] ?? '');
    const present = presentOutputs.map((at) => node.outputs[at] ?? '');
    const isOwn = past.every((name) => inputs.has(name) && users.get(name)?.length === 1);
    const goesOut = present.every((name) => outputs.has(name) && !users.has(name));
    if (!isOwn || !goesOut) return 'Its keys and values do not come in and go out as a cache of the model.';
    const isFloat = [...past.map((name) => inputs.get(name)), ...present.map((name) => outputs.get(name))].every(
      (value) => value?.type?.kind === 'tensor' && value.type.dtype === 'float32',
    );
    return isFloat ? null : 'Its cache is not float32; the runtime takes few bits only from there.';
  }
}

/** A declared past or present, as codes: int8, or two codes of 4 bits in a byte along the head. */
export function withCodes(value: Value, bits: number, size: number): Value {
  if (value.type?.kind !== 'tensor') throw new Error(`${value.name} is no tensor`);
  const { shape } = value.type;
  const packed = bits === 8 ? size : size / 2;
  return {
    ...value,
    type: {
      ...value.type,
      dtype: bits === 8 ? 'int8' : 'uint8',
      shape: shape ? [...shape.slice(0, -1), packed] : null,
    },
  };
}

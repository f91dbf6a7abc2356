// The one recurrent operator that the runtime computes on integers: DynamicQuantizeLSTM, both weights in int8, activations quantized on the fly.
import { makeNode, readInt } from '../../graph/edit';
import type { LayerSite } from '../../graph/layers';
import type { Subject } from '../method';
import type { Order } from './order';
import type { Rewrite } from './rewrite';
import type { Form, Shelf, Shelved } from './shelf';

/** Why GRU and RNN stay as they are. Measured: behind a DequantizeLinear they take 1.2 to 1.7 times as long. */
export const recurrentStays = (op: string): string =>
  `The runtime has no integer ${op}, and unpacking its weights on every run makes it slower than float.`;

/** Weights are [directions][4·hidden][K]; the integer operator wants [directions][K][4·hidden]. */
export function lstmOrder({ tensor }: LayerSite): Order {
  const [directions, gates, columns] = tensor.dims as [number, number, number];
  return {
    tensor,
    rows: directions * gates,
    columns,
    order: 'rows',
    bits: 8,
    groupSize: 0,
    symmetric: true,
    zero: 'signed',
    // The integer kernels want zero at code 0 and a positive scale.
    scaleRule: 'restricted',
    layout: { kind: 'columns', slabs: directions },
    scalesOrder: 'rows',
    scaleType: 'float32',
  };
}

/** The other weight of an LSTM: input weights and recurrent weights are computed by one operator. */
function partnerOf({ sites }: Subject, site: LayerSite): LayerSite | undefined {
  return sites.find((other) => other.node === site.node && other !== site);
}

/** Why the runtime cannot compute it on integers; null where it can. */
export function lstmReason(subject: Subject, site: LayerSite, chosen?: ReadonlySet<string>): string | null {
  const partner = partnerOf(subject, site);
  if (!partner) return 'The integer LSTM needs constant input and recurrent weights.';
  if ([site, partner].some(({ tensor, via }) => tensor.dims.length !== 3 || via.length > 0)) {
    const between = [...new Set([...site.via, ...partner.via].map(({ op }) => op))].join(', ');
    return `The integer LSTM needs its weights as they are stored; here ${between} is between.`;
  }
  if (readInt(site.node, 'layout', 0) !== 0) return 'The integer LSTM knows only the layout with time first.';
  if (site.node.inputs[7]) return 'The integer LSTM is not used with peepholes.';
  if (chosen && !chosen.has(partner.name)) return `It is computed together with ${partner.name}; take both or none.`;
  return null;
}

/** Replaces each LSTM once both its weights are cut. */
export class IntegerLstms {
  private readonly cut = new Map<string, Shelved>();

  constructor(
    private readonly subject: Subject,
    private readonly rewrite: Rewrite,
    private readonly shelf: Shelf,
  ) {}

  async put(site: LayerSite): Promise<Shelved> {
    const [directions, gates, columns] = site.tensor.dims as [number, number, number];
    const perGate = [directions, gates];
    const form: Form = {
      codes: { dtype: 'int8', dims: [directions, columns, gates] },
      scales: perGate,
      zeroPoints: perGate,
    };
    const shelved = await this.shelf.quantized(site, lstmOrder(site), form);
    this.cut.set(site.name, shelved);
    const partner = partnerOf(this.subject, site);
    const other = partner && this.cut.get(partner.name);
    if (partner && other) {
      const [input, recurrent] = site.weightInput === 1 ? [shelved, other] : [other, shelved];
      this.replace(site, input, recurrent);
    }
    return shelved;
  }

  /** Inputs 8 … 11: scale and zero point of W, then of R, [directions, 4·hidden]. */
  private replace(site: LayerSite, input: Shelved, recurrent: Shelved): void {
    const zeros = (of: Shelved): string => {
      const bytes = new Uint8Array(of.scales.dims.reduce((a, b) => a * b, 1));
      const name = `${of.codes.name}_zero_points`;
      return this.rewrite.store(site.graph, name, 'int8', of.scales.dims, { kind: 'bytes', bytes }).name;
    };
    const given = (at: number): string => site.node.inputs[at] ?? '';
    const inputs = [given(0), input.codes.name, recurrent.codes.name, given(3), given(4), given(5), given(6), given(7)];
    const attributes = Object.fromEntries([...site.node.attributes].filter(([name]) => name !== 'layout'));
    this.rewrite.replace(site, [
      makeNode(
        'DynamicQuantizeLSTM',
        [...inputs, input.scales.name, zeros(input), recurrent.scales.name, zeros(recurrent)],
        site.node.outputs,
        { name: site.nodeName, domain: 'com.microsoft', attributes },
      ),
    ]);
  }
}

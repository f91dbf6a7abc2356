// Which layers an adapter can go beside, the matrix it adds to, and what the layer is called where adapters are exchanged.
import { readFloat, readInt } from '../../graph/edit';
import type { LayerSite } from '../../graph/layers';
import { rightMatrix } from './matrix';

/** What a product multiplies by: inputs × outputs. */
export interface Sides {
  readonly inputs: number;
  readonly outputs: number;
}

/** The sides of the matrix on the right of a MatMul, Gemm or MatMulNBits, float or codes; null where it is something else. */
export function sidesOf(site: LayerSite): Sides | null {
  const { op, node, shape, weightInput, channelAxis, tensor, via } = site;
  if (weightInput !== 1 || shape.length !== 2) return null;
  if (op === 'MatMulNBits') return { inputs: shape[0]!, outputs: shape[1]! };
  const isPlain =
    op === 'Gemm'
      ? readInt(node, 'transA', 0) === 0 && readFloat(node, 'alpha', 1) === 1 && readFloat(node, 'beta', 1) === 1
      : op === 'MatMul';
  if (!isPlain) return null;
  const matrix = rightMatrix(site);
  if (matrix) return { inputs: matrix.columns, outputs: matrix.rows };
  const isDequantized = via.every(({ op: step }) => step === 'DequantizeLinear' || step === 'Transpose');
  if (!isDequantized || channelAxis === null || tensor.dims.length !== 2) return null;
  return { inputs: tensor.dims[1 - channelAxis]!, outputs: tensor.dims[channelAxis]! };
}

export const isQuantized = ({ scales, bits }: LayerSite): boolean => scales !== undefined || bits < 16;

const operatorNames = /[./](MatMul|Gemm|MatMulNBits|MatMul_Q\d+|Linear)(_\d+)?$/i;
const numbered = /^(onnx::)?[A-Za-z]*_?\d+$/;

/**
 * The module of the framework the model came from: `model.layers.0.self_attn.q_proj`. From the weight's name where that is one, else from
 * the node's path, else the layer's own name.
 */
export function moduleOf(site: LayerSite): string {
  const { weight, name } = site;
  const [stem, ...rest] = weight.split(/\.weight(?![A-Za-z])/);
  if (rest.length > 0 && stem && !numbered.test(stem)) return asModule(stem);
  if (name.includes('/')) return asModule(name);
  return numbered.test(weight) || weight === '' ? name : asModule(weight);
}

function asModule(path: string): string {
  const plain = path
    .replace(/^\//, '')
    .replace(operatorNames, '')
    .replace(/_(q[248]|quantized)$/i, '')
    .replaceAll('/', '.');
  // Exports for onnxruntime-genai shorten the name that transformers has.
  return plain.replace(/(layers\.\d+)\.attn\.(?=[qkvo]_proj$)/, '$1.self_attn.');
}

export const targetSets = ['linear', 'attention', 'query-value'] as const;
export type TargetSet = (typeof targetSets)[number];

type Role = 'q' | 'k' | 'v' | 'o' | 'qkv';
const roles: readonly (readonly [Role, RegExp])[] = [
  ['qkv', /^(w?qkv(_proj|_lin)?|c_attn|query_key_value|in_proj|w_pack)$/i],
  ['q', /^(w?q|q_proj|q_lin|to_q|query(_proj)?|q_[ab]_proj)$/i],
  ['k', /^(w?k|k_proj|k_lin|to_k|key(_proj)?)$/i],
  ['v', /^(w?v|v_proj|v_lin|to_v|value(_proj)?)$/i],
  ['o', /^(w?o|o_proj|o_lin|out_proj|out_lin|to_out)$/i],
];
/** Names that mean the output projection only inside attention. */
const attentionOutput = /att[^.]*(\.output)?\.(dense|c_proj|proj)$/i;

/** What the layer is to attention, by its module's name; null where it says nothing. */
function roleOf(site: LayerSite): Role | null {
  const module = moduleOf(site).replace(/\.\d+$/, '');
  const last = module.split('.').at(-1)!;
  return roles.find(([, pattern]) => pattern.test(last))?.[0] ?? (attentionOutput.test(module) ? 'o' : null);
}

/** Whether the layer is one of those that were asked for. */
export function isAmong(site: LayerSite, targets: TargetSet): boolean {
  if (targets === 'linear') return true;
  const role = roleOf(site);
  return targets === 'attention' ? role !== null : role === 'q' || role === 'v' || role === 'qkv';
}

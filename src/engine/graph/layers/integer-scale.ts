// The scale of an integer weight whose operator does not carry it: it stands behind the operator.
import type { Graph, Node, Tensor } from '../graph';
import type { Scope, Scopes } from '../walk';
import { constant } from './resolve';

const integerOperators = new Set(['MatMulInteger', 'ConvInteger']);

export interface IntegerScale {
  readonly scales: Tensor;
  readonly zeroPoints: Tensor | null;
}

/**
 * `MatMulInteger → Cast → Mul(…, activation scale × weight scale)`, or `Gather → DequantizeLinear(…, scale, zero point)`;
 * null where the pattern is another.
 */
export function integerScale(graph: Graph, node: Node, scope: Scope, scopes: Scopes): IntegerScale | null {
  if (node.domain !== '') return null;
  if (node.op === 'Gather') return dequantizedAfter(graph, node, scope, scopes);
  const scales = integerOperators.has(node.op) ? productScale(graph, node, scope, scopes) : null;
  return scales && { scales, zeroPoints: null };
}

function dequantizedAfter(graph: Graph, node: Node, scope: Scope, scopes: Scopes): IntegerScale | null {
  const user = onlyUser(graph, node, scopes);
  if (user?.op !== 'DequantizeLinear' || user.inputs[0] !== node.outputs[0]) return null;
  const scales = constant(scope, user.inputs[1]);
  return scales && { scales, zeroPoints: constant(scope, user.inputs[2]) };
}

function productScale(graph: Graph, node: Node, scope: Scope, scopes: Scopes): Tensor | null {
  const cast = onlyUser(graph, node, scopes);
  if (cast?.op !== 'Cast') return null;
  for (const multiply of scopes.usersOf(graph, cast.outputs[0] ?? '')) {
    if (multiply.op !== 'Mul') continue;
    const other = multiply.inputs.find((name) => name !== cast.outputs[0]) ?? '';
    const found = floatConstant(scope, other) ?? factor(scope, other);
    if (found) return found;
  }
  return null;
}

/** The constant operand of the product that makes `name`. */
function factor(scope: Scope, name: string): Tensor | null {
  const product = scope.find(name)?.node;
  if (product?.op !== 'Mul') return null;
  for (const input of product.inputs) {
    const found = floatConstant(scope, input);
    if (found) return found;
  }
  return null;
}

function floatConstant(scope: Scope, name: string): Tensor | null {
  const tensor = constant(scope, name);
  return tensor?.dtype.startsWith('float') ? tensor : null;
}

function onlyUser(graph: Graph, node: Node, scopes: Scopes): Node | null {
  const users = scopes.usersOf(graph, node.outputs[0] ?? '');
  return users.length === 1 ? users[0]! : null;
}

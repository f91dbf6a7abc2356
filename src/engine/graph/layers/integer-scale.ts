// The scale of an integer weight whose operator does not carry it: MatMulInteger → Cast → Mul(…, activation scale × weight scale).
import type { Graph, Node, Tensor } from '../graph';
import type { Scope, Scopes } from '../walk';
import { constant } from './resolve';

const integerOperators = new Set(['MatMulInteger', 'ConvInteger']);

/** The constant that scales the node's integer result back, or null where the pattern is another. */
export function integerScale(graph: Graph, node: Node, scope: Scope, scopes: Scopes): Tensor | null {
  if (node.domain !== '' || !integerOperators.has(node.op)) return null;
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

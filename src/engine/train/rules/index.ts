// Every gradient rule of the standard domain, by operator (opset 21 semantics). The list and nothing else.
import type { Rule } from '../tape';
import { add, div, mul, neg, sub } from './arithmetic';

export const rules = {
  // Arithmetic.
  Add: add,
  Div: div,
  Mul: mul,
  Neg: neg,
  Sub: sub,
} as const satisfies Record<string, Rule>;

/** The rule of an operator; null where it has none. */
export function ruleOf(domain: string, op: string): Rule | null {
  return domain === '' && Object.hasOwn(rules, op) ? rules[op as keyof typeof rules] : null;
}

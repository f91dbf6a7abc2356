// Every operator that shapes are inferred for, by domain.
import { scaledAttention } from './attention';
import { ifElse, loop, scan } from './control';
import { elementwise } from './elementwise';
import { indexing } from './indexing';
import type { Rule } from './known';
import { linear } from './linear';
import { microsoft } from './microsoft';
import { movement } from './movement';
import { normalization } from './normalization';
import { reduction } from './reduction';
import { windows } from './windows';

const standard: Readonly<Record<string, Rule>> = {
  ...elementwise,
  ...indexing,
  ...linear,
  ...movement,
  ...normalization,
  ...reduction,
  ...windows,
  Attention: scaledAttention,
  If: ifElse,
  Loop: loop,
  Scan: scan,
};

/** The rule of an operator; null where nothing is known of it. */
export function ruleFor(domain: string, op: string): Rule | null {
  const rules = domain === '' || domain === 'ai.onnx' ? standard : domain === 'com.microsoft' ? microsoft : null;
  return rules && Object.hasOwn(rules, op) ? rules[op]! : null;
}

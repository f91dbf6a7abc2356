// If, Loop and Scan: what their subgraphs say of the outputs.
import { readInt, readIntList } from '../edit';
import { agree, type Call, type Known, known, unknown } from './known';

/** What both branches agree on. */
export function ifElse(call: Call): readonly Known[] {
  const yes = call.body('then_branch', []);
  const no = call.body('else_branch', []);
  return call.node.outputs.map((_, i) => {
    const [a, b] = [yes[i] ?? unknown, no[i] ?? unknown];
    return known(a.dtype === b.dtype ? a.dtype : null, agree(a.shape, b.shape));
  });
}

/** Body (iteration, condition, carried…) → (condition, carried…, scanned…); scanned outputs gain a leading axis. */
export function loop(call: Call): readonly Known[] {
  const count = call.node.inputs.length - 2;
  const first = Array.from({ length: Math.max(0, count) }, (_, i) => known(call.in(i + 2).dtype, call.in(i + 2).shape));
  const run = (carried: readonly Known[]): readonly Known[] =>
    call.body('body', [known('int64', []), known('bool', []), ...carried]).slice(1);
  // What changes between iterations is not known: a second look with only what the first agreed on.
  const once = run(first);
  const carried = first.map((value, i) => known(value.dtype, agree(value.shape, once[i]?.shape ?? null)));
  const outputs = run(carried);
  return call.node.outputs.map((_, i) => {
    const value = outputs[i] ?? unknown;
    if (i < count) return known(value.dtype, agree(value.shape, carried[i]?.shape ?? null));
    return known(value.dtype, value.shape ? [null, ...value.shape] : null);
  });
}

/** Body (state…, one slice of each scanned input) → (state…, one slice of each scanned output). */
export function scan(call: Call): readonly Known[] {
  if (call.opset < 9) return call.node.outputs.map(() => unknown);
  const scanned = readInt(call.node, 'num_scan_inputs', 0);
  const states = call.node.inputs.length - scanned;
  const inputAxes = readIntList(call.node, 'scan_input_axes') ?? [];
  const outputAxes = readIntList(call.node, 'scan_output_axes') ?? [];
  const lengthOf = call.in(states).shape?.at(inputAxes[0] ?? 0) ?? null;
  const inputs = call.node.inputs.map((_, i) => {
    const { dtype, shape } = call.in(i);
    if (i < states || !shape) return known(dtype, shape);
    const axis = inputAxes[i - states] ?? 0;
    const at = axis < 0 ? axis + shape.length : axis;
    return known(
      dtype,
      shape.filter((_, k) => k !== at),
    );
  });
  return call.body('body', inputs).map(({ dtype, shape }, i) => {
    if (i < states || !shape) return known(dtype, shape);
    const axis = outputAxes[i - states] ?? 0;
    const at = axis < 0 ? axis + shape.length + 1 : axis;
    return known(dtype, [...shape.slice(0, at), lengthOf, ...shape.slice(at)]);
  });
}

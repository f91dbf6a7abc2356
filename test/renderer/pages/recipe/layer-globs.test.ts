// Patterns of layer names, as the command line reads them.
import { expect, it } from 'vitest';
import { globOf, matches, touches } from '../../../../src/renderer/pages/recipe/layer-globs';

it('makes a pattern of any name that matches the name', () => {
  for (const name of ['/conv1/Conv', 'a{0}', 'what?', '2*x', 'plain.weight'])
    expect(matches(globOf(name), name)).toBe(true);
});

it('takes what is included and not excluded', () => {
  const step = { method: 'm', params: {}, layers: { include: ['block*'], exclude: ['*norm'] } };
  expect(touches(step, 'block.1.fc')).toBe(true);
  expect(touches(step, 'block.1.norm')).toBe(false);
  expect(touches(step, 'head')).toBe(false);
  expect(touches({ method: 'm', params: {} }, 'head')).toBe(true);
});

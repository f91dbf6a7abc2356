// The recipe document: undo, reorder, defaults unsaid, layers taken and left by name.
import { describe, expect, it } from 'vitest';
import type { MethodCard } from '../../../src/contract/words/method';
import type { Recipe } from '../../../src/contract/words/recipe';
import {
  addStep,
  change,
  globToRegExp,
  isShown,
  moveStep,
  override,
  parametersFor,
  redo,
  setParameter,
  setTouched,
  startHistory,
  titleOf,
  touches,
  undo,
} from '../../../src/renderer/pages/recipe/document';

const card: MethodCard = {
  id: 'weight-only',
  title: 'Weight-only',
  family: 'quantize',
  help: '',
  needs: ['weights'],
  ops: ['MatMul'],
  params: [
    {
      id: 'bits',
      kind: 'choice',
      label: 'Bits',
      help: '',
      default: 4,
      precision: true,
      choices: [8, 4, 2].map((value) => ({ value, label: `${value}` })),
    },
    {
      id: 'symmetric',
      kind: 'switch',
      label: 'Levels',
      help: '',
      default: true,
      on: 'symmetric',
      off: 'asymmetric',
      when: { bits: [4, 8] },
    },
  ],
};
const bits = card.params[0]!;
const empty: Recipe = { lathe: 1, steps: [{ method: 'weight-only', params: {} }] };

describe('recipe document', () => {
  it('leaves defaults unsaid and says what differs', () => {
    const eight = setParameter(empty, 0, bits, 8);
    expect(eight.steps[0]!.params).toEqual({ bits: 8 });
    expect(setParameter(eight, 0, bits, 4).steps[0]!.params).toEqual({});
  });

  it('undoes and redoes, a dragged dial as one step', () => {
    let history = startHistory(empty);
    history = change(history, setParameter(empty, 0, bits, 8), 'bits');
    history = change(history, setParameter(empty, 0, bits, 2), 'bits');
    expect(history.past).toHaveLength(1);
    history = undo(history);
    expect(history.now).toEqual(empty);
    expect(redo(history).now.steps[0]!.params).toEqual({ bits: 2 });
  });

  it('reorders and refuses to fall off the end', () => {
    const two = addStep(empty, { ...card, id: 'float16' });
    expect(moveStep(two, 0, 1).steps.map((step) => step.method)).toEqual(['float16', 'weight-only']);
    expect(moveStep(two, 0, 2)).toBe(two);
  });

  it('leaves one layer out by name, takes it in again, and drops its override', () => {
    const overridden = override(empty, 0, '/conv1/Conv', 'bits', 8);
    expect(parametersFor(overridden.steps[0]!, card, '/conv1/Conv')).toEqual({ bits: 8, symmetric: true });
    const left = setTouched(overridden, 0, '/conv1/Conv', false);
    expect(left.steps[0]).toEqual({ method: 'weight-only', params: {}, layers: { exclude: ['/conv1/Conv'] } });
    expect(touches(left.steps[0]!, '/conv1/Conv')).toBe(false);
    expect(touches(left.steps[0]!, '/conv2/Conv')).toBe(true);
    expect(setTouched(left, 0, '/conv1/Conv', true).steps[0]).toEqual({ method: 'weight-only', params: {} });
  });

  it('reads globs as the command line does', () => {
    expect(globToRegExp('/lm_head/*').test('/lm_head/a/b')).toBe(true);
    expect(globToRegExp('{q,k}_proj').test('k_proj')).toBe(true);
    expect(globToRegExp('conv?').test('conv12')).toBe(false);
    expect(globToRegExp('a.b').test('axb')).toBe(false);
  });

  it('hides what does not apply and names an unnamed recipe', () => {
    expect(isShown({ method: 'weight-only', params: { bits: 2 } }, card.params[1]!, card)).toBe(false);
    expect(titleOf(empty, [card])).toBe('Weight-only 4 bits');
  });
});

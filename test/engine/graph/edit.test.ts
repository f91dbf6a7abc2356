// Edits return new graphs, share what they leave alone, and reach into subgraphs.
import { describe, expect, test } from 'vitest';
import {
  freshName,
  makeNode,
  mapNodes,
  replaceGraph,
  replaceNode,
  withoutUnused,
} from '../../../src/engine/graph/edit';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { capturedBy, consumers, everyGraph, everyNode, producers } from '../../../src/engine/graph/walk';
import { graph, model, node, tinyIf, value } from '../models';

const chain = graph({
  inputs: [value('x')],
  outputs: [value('y')],
  nodes: [node('Neg', ['x'], ['a']), node('Relu', ['a'], ['y']), node('Abs', ['a'], ['unused'])],
  initializers: [floatTensor('left', [1], [0])],
});
const branch = graph({ outputs: [value('o')], nodes: [node('Add', ['x', 'a'], ['o'])] });
const nested = graph({
  inputs: [value('x'), value('c', 'bool')],
  outputs: [value('y')],
  nodes: [
    node('Neg', ['x'], ['a']),
    node('If', ['c'], ['y'], { then_branch: branch, else_branch: branch }, { name: 'gate' }),
  ],
});

describe('walking', () => {
  test('producers and consumers, captures included', () => {
    expect(producers(nested).get('a')?.op).toBe('Neg');
    expect(
      consumers(nested)
        .get('a')
        ?.map(({ op }) => op),
    ).toEqual(['If']);
    expect(
      consumers(nested)
        .get('x')
        ?.map(({ op }) => op),
    ).toEqual(['Neg', 'If']);
    expect([...capturedBy(branch)].sort()).toEqual(['a', 'x']);
  });

  test('every graph with the way to it', () => {
    expect(everyGraph(model({ ...nestedParts(), outputs: [value('y')] })).map(({ scope }) => scope.join('/'))).toEqual([
      '',
      'gate/then',
      'gate/else',
    ]);
    expect(everyNode(tinyIf()).length).toBeGreaterThan(tinyIf().graph.nodes.length);
  });
});

function nestedParts() {
  return { inputs: nested.inputs, nodes: nested.nodes };
}

describe('editing', () => {
  test('replacing a node leaves the others as they are', () => {
    const [negate, relu] = chain.nodes;
    const next = replaceNode(chain, relu!, [makeNode('Sigmoid', ['a', ''], ['y'])]);
    expect(next.nodes[0]).toBe(negate);
    expect(next.nodes[1]!.inputs).toEqual(['a']);
    expect(next.initializers).toBe(chain.initializers);
    expect(chain.nodes[1]).toBe(relu);
  });

  test('what nobody uses goes, what a subgraph captures stays', () => {
    const kept = withoutUnused(chain);
    expect(kept.nodes.map(({ op }) => op)).toEqual(['Neg', 'Relu']);
    expect(kept.initializers.size).toBe(0);
    expect(withoutUnused(kept)).toBe(kept);
    expect(withoutUnused(nested)).toBe(nested);
  });

  test('a graph is changed where it is nested', () => {
    const whole = model({ ...nestedParts(), outputs: [value('y')] });
    const inner = everyGraph(whole)[1]!.graph;
    const changed = replaceGraph(whole, inner, { ...inner, name: 'changed' });
    expect(everyGraph(changed).map((place) => place.graph.name)).toContain('changed');
    expect(replaceGraph(whole, chain, chain)).toBe(whole);
  });

  test('mapping nothing gives the same graph', () => {
    expect(mapNodes(nested, (same) => same)).toBe(nested);
    const renamed = mapNodes(nested, (one) => (one.op === 'Add' ? { ...one, op: 'Sub' } : one));
    expect(
      everyNode(model({ inputs: renamed.inputs, outputs: [value('y')], nodes: renamed.nodes })).map(
        ({ node: one }) => one.op,
      ),
    ).toEqual(['Neg', 'If', 'Sub', 'Sub']);
  });

  test('fresh names are taken at once', () => {
    const taken = new Set(['w']);
    expect([freshName(taken, 'w'), freshName(taken, 'w'), freshName(taken, 'v')]).toEqual(['w_1', 'w_2', 'v']);
  });
});

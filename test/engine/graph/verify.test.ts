// What verify says about graphs that do not hold, and that it keeps quiet about those that do.
import { describe, expect, test } from 'vitest';
import type { Graph, LocalFunction, Model } from '../../../src/engine/graph/graph';
import { modelInOrder } from '../../../src/engine/graph/order';
import { floatTensor } from '../../../src/engine/graph/tensor';
import { verify } from '../../../src/engine/graph/verify';
import { graph, model, node, tinyConv, tinyIf, tinyLm, tinyMlp, value } from '../models';

const x = value('x', 'float32', [2, 2]);
const y = value('y', 'float32', [2, 2]);
const simple = (nodes: Model['graph']['nodes'], more = {}) => model({ inputs: [x], outputs: [y], nodes, ...more });

test.each([tinyMlp(), tinyConv(), tinyLm(), tinyIf()])('sound models have no problems', (sound) => {
  expect(verify(sound)).toEqual([]);
});

describe('problems are named with their place', () => {
  const branches = (then: Graph) =>
    model({
      inputs: [x, value('c', 'bool', [])],
      outputs: [y],
      nodes: [
        node('Neg', ['x'], ['a'], {}, { name: 'first' }),
        node('If', ['c'], ['y'], { then_branch: then, else_branch: branch(['x']) }, { name: '/If' }),
      ],
    });
  const branch = (reads: string[], makes = 't', out = makes) =>
    graph({ outputs: [value(out)], nodes: [node('Sum', reads, [makes], {}, { name: 'inner' })] });
  const callable = (name: string, calls: string): LocalFunction => ({
    name,
    domain: 'mine',
    inputs: ['a'],
    outputs: ['b'],
    attributes: [],
    defaults: new Map(),
    nodes: [node(calls, ['a'], ['b'], {}, { domain: calls === 'Neg' ? '' : 'mine' })],
    opsets: new Map([
      ['', 21],
      ['mine', 1],
    ]),
    values: new Map(),
  });

  test.each<[string, Model, string]>([
    ['dangling input', simple([node('Neg', ['q'], ['y'])]), 'node Neg_y reads q, which nothing makes'],
    ['order', simple([node('Neg', ['a'], ['y']), node('Neg', ['x'], ['a'])]), 'node Neg_y reads a before it is made'],
    [
      'circle',
      simple([node('Sum', ['x', 'b'], ['a']), node('Neg', ['a'], ['b']), node('Neg', ['b'], ['y'])]),
      'nodes wait for each other in a circle: Sum_a, Neg_b',
    ],
    ['self', simple([node('Sum', ['x', 'y'], ['y'])]), 'node Sum_y reads what it makes'],
    [
      'made twice',
      simple([node('Neg', ['x'], ['y']), node('Abs', ['x'], ['y'])]),
      'value y is made twice; the second time by node Abs_y',
    ],
    [
      'an initializer made',
      simple([node('Neg', ['x'], ['y'])], { initializers: [floatTensor('y', [1], [1])] }),
      'value y is made twice; the second time by node Neg_y',
    ],
    ['output not made', simple([node('Neg', ['x'], ['z'])]), 'output y is made by no node'],
    ['input twice', model({ inputs: [x, x], outputs: [x], nodes: [] }), 'two inputs are called x'],
    [
      'import',
      simple([node('Fancy', ['x'], ['y'], {}, { domain: 'acme' })]),
      'node Fancy_y is of the operator set acme, which is not imported',
    ],
    [
      'names of nodes',
      simple([node('Neg', ['x'], ['a'], {}, { name: 'n' }), node('Neg', ['a'], ['y'], {}, { name: 'n' })]),
      'two nodes are called n',
    ],
    [
      'size',
      simple([node('Sum', ['x', 'w'], ['y'])], { initializers: [{ ...floatTensor('w', [2], [1, 2]), dims: [3] }] }),
      'initializer w, float32[3], takes 12 bytes and has 8',
    ],
    ['subgraph input', branches(branch(['q'])), 'node inner in then_branch of /If reads q, which nothing makes'],
    [
      'subgraph shadows',
      branches(branch(['x'], 'a')),
      'node inner in then_branch of /If makes a, a name of the graph around it',
    ],
    [
      'subgraph returns an outer value',
      branches(branch(['x'], 't', 'a')),
      'output a in then_branch of /If is a value of the graph around it, not its own',
    ],
    [
      'reference outside a function',
      simple([
        {
          ...node('Elu', ['x'], ['y']),
          attributes: new Map([['alpha', { type: 'reference', value: 'alpha', as: 1 }]]),
        },
      ]),
      'attribute alpha of node Elu_y refers to a caller that does not exist',
    ],
    [
      'functions in a round',
      simple([node('F', ['x'], ['y'], {}, { domain: 'mine' })], {
        functions: [callable('F', 'G'), callable('G', 'F')],
      }),
      'the local function mine:F calls itself',
    ],
    [
      'functions of one name',
      simple([node('F', ['x'], ['y'], {}, { domain: 'mine' })], {
        functions: [callable('F', 'Neg'), callable('F', 'Neg')],
      }),
      'there are two local functions called mine:F',
    ],
  ])('%s', (_, broken, problem) => {
    expect(verify(broken)).toContain(problem);
  });

  test('a subgraph sees what was made before its owner, and functions call each other', () => {
    expect(verify(branches(branch(['x', 'a'])))).toEqual([]);
    const functions = [callable('F', 'G'), callable('G', 'Neg')];
    expect(verify(simple([node('F', ['x'], ['y'], {}, { domain: 'mine' })], { functions }))).toEqual([]);
  });
});

describe('order', () => {
  test('is restored, counting what subgraphs capture, and otherwise left alone', () => {
    const inner = graph({ outputs: [value('t')], nodes: [node('Neg', ['u'], ['t']), node('Abs', ['a'], ['u'])] });
    const nodes = [
      node('If', ['c'], ['y'], { then_branch: inner, else_branch: inner }, { name: 'If' }),
      node('Neg', ['x'], ['a'], {}, { name: 'Neg' }),
    ];
    const messy = model({ inputs: [x, value('c', 'bool', [])], outputs: [y], nodes });
    const tidy = modelInOrder(messy);
    expect(verify(messy)).not.toEqual([]);
    expect(verify(tidy)).toEqual([]);
    expect(tidy.graph.nodes.map(({ name }) => name)).toEqual(['Neg', 'If']);
    expect(modelInOrder(tidy)).toBe(tidy);
  });

  test('a chain of 100,000 nodes written backwards is put right', () => {
    const length = 100_000;
    const nodes = Array.from({ length }, (_, i) => node('Neg', [i === 0 ? 'x' : `v${i}`], [`v${i + 1}`])).reverse();
    const ordered = modelInOrder(model({ inputs: [x], outputs: [value(`v${length}`)], nodes }));
    expect(verify(ordered)).toEqual([]);
  });
});

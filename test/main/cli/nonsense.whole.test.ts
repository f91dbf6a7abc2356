// Nonsense for every command: the right exit code, one sentence, one document with --json, and never a stack trace.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../../src/contract/words/refusal';
import { hasTestData, testData } from '../../data';
import { lathe } from '../../lathe';

const folder = mkdtempSync(join(tmpdir(), 'lathe-nonsense-'));
const workspace = join(folder, 'workspace');
const model = testData('models/mnist-8/model.onnx');
const at = (name: string) => join(folder, name);
const file = (name: string, text: string | Buffer) => {
  writeFileSync(at(name), text);
  return at(name);
};
const recipeOf = (name: string, step: unknown) => file(name, JSON.stringify({ lathe: 1, steps: [step] }));

file('empty.onnx', '');
file('noise.onnx', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 197) % 256)));
file('text.onnx', 'this is no model\n'.repeat(50));
file('broken.json', '{ "lathe": 1, ');
file('good.json', JSON.stringify({ lathe: 1, steps: [{ method: 'float16' }] }));
file('taken', '');
mkdirSync(at('full'));
file('full/something', '');
mkdirSync(at('nothing'));

type Case = [title: string, args: string[], code: number, refusal: string];
const usage: Case[] = [
  ['no command', ['--json', '--workspace', workspace], 2, 'usage'],
  ['an unknown command', ['frobnicate'], 2, 'usage'],
  ['a command of a later version', ['chat', model, '--prompt', 'x'], 2, 'usage'],
  ['an unknown option', ['inspect', model, '--frob'], 2, 'usage'],
  ['a missing argument', ['inspect'], 2, 'usage'],
  ['an empty argument', ['inspect', ''], 2, 'usage'],
  ['one argument too many', ['inspect', model, model], 2, 'usage'],
  ['a missing option', ['evaluate', model], 2, 'usage'],
  ['an option without its value', ['run', model, '--recipe'], 2, 'usage'],
  ['a seed that is no number', ['run', model, '--recipe', at('good.json'), '--seed', 'x'], 2, 'usage'],
  ['a seed that is too large', ['run', model, '--recipe', at('good.json'), '--seed', '4294967296'], 2, 'usage'],
  ['a limit of zero', ['evaluate', model, '--data', folder, '--limit', '0'], 2, 'usage'],
  ['a split that does not exist', ['evaluate', model, '--data', folder, '--split', 'dev'], 2, 'usage'],
  ['a port beyond ports', ['serve', '--port', '65536'], 2, 'usage'],
  ['a negative limit', ['history', '--limit', '-1'], 2, 'usage'],
  ['history of nonsense', ['history', 'frob'], 2, 'usage'],
  ['an export without a file', ['history', 'export'], 2, 'usage'],
  ['a fit without a device', ['fit', model], 2, 'usage'],
  ['a bundle without a folder', ['bundle', model, '--device', 'raspberry-pi-5'], 2, 'usage'],
];
const refused: Case[] = [
  ['a model that is not there', ['inspect', at('missing.onnx')], 3, 'not-found'],
  ['an id that nothing has', ['inspect', 'abcdef1234'], 3, 'not-found'],
  ['an empty model', ['inspect', at('empty.onnx')], 3, 'bad-model'],
  ['noise', ['inspect', at('noise.onnx')], 3, 'bad-model'],
  ['text', ['inspect', at('text.onnx'), '--no-stats'], 3, 'bad-model'],
  ['a folder without a model', ['inspect', at('nothing')], 3, 'not-found'],
  ['a dataset that is not there', ['evaluate', model, '--data', at('missing')], 3, 'not-found'],
  ['a dataset that is none', ['evaluate', model, '--data', at('nothing')], 3, 'bad-dataset'],
  ['a recipe that is not there', ['run', model, '--recipe', at('missing.json')], 3, 'not-found'],
  ['a recipe that is a folder', ['run', model, '--recipe', folder], 3, 'not-found'],
  ['a recipe that is no JSON', ['run', model, '--recipe', at('broken.json')], 3, 'bad-recipe'],
  [
    'a recipe of a later version',
    ['run', model, '--recipe', file('v2.json', '{"lathe":2,"steps":[]}')],
    3,
    'bad-recipe',
  ],
  ['an unknown method', ['run', model, '--recipe', recipeOf('method.json', { method: 'frob' })], 3, 'bad-recipe'],
  [
    'a value out of range',
    ['run', model, '--recipe', recipeOf('bits.json', { method: 'weight-only', params: { bits: 5 } }), '--dry-run'],
    3,
    'bad-recipe',
  ],
  [
    'a pattern that matches nothing',
    ['run', model, '--recipe', recipeOf('glob.json', { method: 'float16', layers: { include: ['nope*'] } })],
    3,
    'bad-recipe',
  ],
  ['an --out that is full', ['run', model, '--recipe', at('good.json'), '--out', at('full')], 3, 'exists'],
  ['an --out that is a file', ['run', model, '--recipe', at('good.json'), '--out', at('taken')], 3, 'exists'],
  ['an unknown device', ['fit', model, '--device', 'toaster'], 3, 'not-found'],
  ['a bundle for an unknown device', ['bundle', model, '--device', 'toaster', '--out', at('b1')], 3, 'not-found'],
  ['a bundle over something', ['bundle', model, '--device', 'raspberry-pi-5', '--out', at('full')], 3, 'exists'],
  ['a bundle that is not there', ['verify', at('missing')], 3, 'not-found'],
  ['a bundle that is none', ['verify', at('full')], 3, 'bad-bundle'],
  ['a run that nobody knows', ['history', 'show', 'zzzzzz'], 3, 'not-found'],
  ['a replay of nothing', ['replay', 'zzzzzz'], 3, 'not-found'],
];
const broken: Case[] = [
  ['a file in a folder that is not there', ['history', 'export', '--csv', at('missing/runs.csv')], 1, 'failed'],
  ['a workspace that is a file', ['history', '--workspace', at('taken')], 1, 'failed'],
];

describe.skipIf(!hasTestData).each([...usage, ...refused, ...broken])('%s', (_title, args, code, expected) => {
  it(`ends with ${code}, ${expected}`, async () => {
    const json = await lathe([...args, '--json'], { workspace });
    expect(json.code, json.stdout + json.stderr).toBe(code);
    expect(json.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(Object.keys(json.json)).toEqual(['error']);
    const { sentence } = refusal.parse(json.json.error);
    expect(json.json.error.code, sentence).toBe(expected);
    expect(json.stderr).toBe('');

    if (args.includes('--json')) return;
    const words = await lathe(args, { workspace });
    expect(words.code).toBe(code);
    expect(words.stdout).toBe('');
    expect(words.stderr).toContain(sentence.slice(0, 40));
    expect(words.stderr).not.toMatch(/\n\s+at |node:internal|Error:|undefined/);
  });
});

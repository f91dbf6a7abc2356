// Models that the runtime does not load: the user's is refused with the runtime's reason, ours is a failure.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { Failure, runtimeReason } from '../../../src/engine/runtime/failure';
import { blame, openGiven } from '../../../src/engine/runtime/given';
import { hasTestData, testData } from '../../data';
import { tinyMlp } from '../models';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lathe-given-'));
});
const refusalOf = (wanted: Promise<unknown>) => wanted.then(() => null).catch((error) => error.refusal ?? error);

describe('a given model', () => {
  it('opens', async () => {
    await writeFile(join(folder, 'mlp.onnx'), await encode(tinyMlp()));
    await (await openGiven(join(folder, 'mlp.onnx'), 'mlp.onnx')).close();
  });

  it.skipIf(!hasTestData).each([
    ['unknown-op', 'unsupported', /No Op registered for FooBar/],
    ['real-qonnx-domain', 'unsupported', /onnx\.brevitas:Quant\(-1\) is not a registered function/],
    ['real-type-error', 'bad-model', /Type 'tensor\(int8\)'/],
    ['no-graph', 'unsupported', /not load this model: ONNX Runtime only/],
  ])('%s is refused: %s', async (name, code, reason) => {
    const file = `${name}.onnx`;
    const refusal = await refusalOf(openGiven(testData(`bad/${file}`), file));
    expect(refusal).toMatchObject({ code, sentence: expect.stringMatching(reason) });
    expect(refusal.sentence).toMatch(new RegExp(`^${file} does not run here\\.`));
    expect(refusal.sentence).not.toMatch(/onnxruntime::|\/data\//);
    expect(await refusalOf(blame(new Failure('It does not load.', 'loading'), testData(`bad/${file}`), file))).toEqual(
      refusal,
    );
  });

  it('that loads leaves the blame with us', async () => {
    const ours = new Failure('The compressed model does not load.', 'loading the compressed model');
    expect(await refusalOf(blame(ours, join(folder, 'mlp.onnx'), 'mlp.onnx'))).toBe(ours);
  });
});

it("a reason is the runtime's words without its whereabouts", () => {
  const said = 'Load model from /a folder/m.onnx failed:Fatal error: x:Quant(-1) is not a registered function/op';
  expect(runtimeReason(new Error(said))).toBe('x:Quant(-1) is not a registered function/op');
});

// Every ONNX backend test of floats, decomposed and differentiated: the same outputs, and gradients that say how they move.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasTestData, testData } from '../data';
import { record } from '../prove/evidence';
import { readCases } from './cases';
import { checkGradients, type Verdict } from './gradients';
import { RuntimePool } from './runtime-pool';

const lanes = 2;

describe.skipIf(!hasTestData)('gradients of the ONNX backend tests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-gradients-'));
  const pool = new RuntimePool(lanes);
  afterAll(() => {
    pool.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('say how the outputs move', { timeout: 600_000 }, async () => {
    const cases = readCases(testData('conformance/onnx-backend-tests.tar.gz'));
    const verdicts = new Map<string, Verdict>();
    let next = 0;
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        for (let at = next++; at < cases.length; at = next++) {
          const one = cases[at]!;
          const place = join(folder, `${lane}`, one.name);
          mkdirSync(place, { recursive: true });
          const path = join(place, 'model.onnx');
          writeFileSync(path, one.model);
          verdicts.set(one.name, await checkGradients(one, path, place, pool, lane));
          rmSync(place, { recursive: true });
        }
      }),
    );
    judge(verdicts);
  });
});

/**
 * acosh is asked at 1, its end, and a step further left. The others are written out by their authors so that a row without any key is
 * 0/0, masked afterwards: what flows back is 0 · NaN.
 */
const withoutSlope = [
  'node/test_acosh_example',
  'node/test_attention_23_boolmask_fullymasked_row_nan_robustness_expanded',
  'node/test_attention_23_fullymasked_qk_matmul_output_mode3_zero_expanded',
  'node/test_attention_24_fullymasked_qk_matmul_output_mode3_zero_expanded',
  'node/test_attention_4d_causal_nonpad_negative_offset_structural_empty_expanded',
  'node/test_attention_causal_boolmask_nan_robustness_expanded',
];

/** The share of a step's effect that the gradients may miss: values of a max that change places within the step. */
const most = 0.05;

function judge(verdicts: ReadonlyMap<string, Verdict>): void {
  const all = [...verdicts];
  const kept = all.filter(([, { kind }]) => kind === 'checked').length;
  const decomposed = all.filter(([, verdict]) => verdict.kind === 'checked' && verdict.isDecomposed).length;
  const distances = all.flatMap(([name, verdict]) =>
    verdict.kind === 'checked' && verdict.distance !== null ? [{ name, distance: verdict.distance }] : [],
  );
  const refused = all.flatMap(([, verdict]) => (verdict.kind === 'refused' ? [verdict.sentence] : []));
  const different = all.flatMap(([name, verdict]) => (verdict.kind === 'different' ? [`${name}: ${verdict.why}`] : []));
  const off = distances.filter(({ distance }) => !(distance < most)).map(({ name }) => name);
  console.log(
    `${all.length} cases: ${kept} keep their outputs (${decomposed} decomposed), ${distances.length} have gradients, ${refused.length} refused`,
  );
  expect(different).toEqual([]);
  expect(off.sort()).toEqual(withoutSlope);
  // A refusal names the layer.
  expect(refused.filter((sentence) => !/^The layer "[^"]+"/.test(sentence))).toEqual([]);
  expect(distances.length).toBeGreaterThanOrEqual(640);
  if (process.env.LATHE_PROVE)
    record('training-gradients', 'conformance', {
      cases: all.length,
      sameAfterDecomposition: kept,
      decomposed,
      gradientsChecked: distances.length,
      refused: refused.length,
    });
}

// Every ONNX backend test, read and written, and read, normalised and written: the runtime must not see a difference.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/engine/graph/graph';
import { hasTestData, testData } from '../data';
import { record } from '../prove/evidence';
import { type Case, readCases, readFeed } from './cases';
import { type Feed, type Feeds, RuntimePool } from './runtime-pool';
import { type ShapeCheck, type ThreeWays, threeWays } from './three-ways';

const lanes = 2;

describe.skipIf(!hasTestData)('the ONNX backend tests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-conformance-'));
  const pool = new RuntimePool(lanes);
  afterAll(() => {
    pool.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('give the same outputs, or the same class of error, before and after', { timeout: 600_000 }, async () => {
    const cases = readCases(testData('conformance/onnx-backend-tests.tar.gz'));
    const results = new Map<string, ThreeWays>();
    const refused: string[] = [];
    let next = 0;
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        for (let at = next++; at < cases.length; at = next++) {
          const one = cases[at]!;
          try {
            results.set(one.name, await runCase(one, lane));
          } catch (error) {
            refused.push(`${one.name}: ${(error as Error).message}`);
          }
        }
      }),
    );
    report(cases.length, [...results.values()], refused);
    const wrong = [...results].flatMap(([name, { written, normalised, problems, shapes }]) => [
      ...shapes.wrong.map((problem) => `${name} shape: ${problem}`),
      ...(written.verdict === 'different' ? [`${name} written: ${written.why}`] : []),
      ...(normalised.verdict === 'different' ? [`${name} normalised: ${normalised.why}`] : []),
      ...problems.map((problem) => `${name} verify: ${problem}`),
    ]);
    expect([...refused, ...wrong]).toEqual([]);
    expect(results.size).toBe(1360);
    // Reading and writing changes nothing at all; rounding is for what normalise spells differently.
    expect([...results].filter(([, { written }]) => written.verdict !== 'same').map(([name]) => name)).toEqual([]);
  });

  async function runCase(one: Case, lane: number): Promise<ThreeWays> {
    const place = join(folder, `${lane}`, one.name);
    mkdirSync(place, { recursive: true });
    const path = join(place, 'model.onnx');
    writeFileSync(path, one.model);
    const result = await threeWays(pool, lane, path, place, (model) => feedsOf(model, one));
    rmSync(place, { recursive: true });
    return result;
  }
});

/** The case's inputs by name; null where one is no tensor: then the model is loaded only. */
async function feedsOf(model: Model, one: Case): Promise<Feeds> {
  const feeds: Record<string, Feed> = {};
  const wanted = model.graph.inputs.filter(
    ({ name }) => one.inputs.length >= model.graph.inputs.length || !model.graph.initializers.has(name),
  );
  for (const [i, bytes] of one.inputs.entries()) {
    const feed = bytes ? await readFeed(bytes) : null;
    if (!feed || !wanted[i]) return null;
    feeds[wanted[i].name] = feed;
  }
  return feeds;
}

function report(count: number, results: readonly ThreeWays[], refused: readonly string[]): void {
  const number = (n: number): string => n.toLocaleString('en');
  const of = (pick: (result: ThreeWays) => boolean): string => number(results.filter(pick).length);
  const sum = (pick: (check: ShapeCheck) => number): string =>
    number(results.reduce((total, { shapes }) => total + pick(shapes), 0));
  const kinds = ['outputs', 'load', 'run', 'abort'].map(
    (kind) => `${of(({ original }) => original.kind === kind)} ${kind}`,
  );
  console.log(
    [
      `${number(count)} cases, ${number(results.length)} read, ${number(refused.length)} refused (originals: ${kinds.join(', ')})`,
      `read and written: ${of(({ written }) => written.verdict === 'same')} the same`,
      `normalised: ${of(({ normalised }) => normalised.verdict === 'same')} the same, ` +
        `${of(({ normalised }) => normalised.verdict === 'rounding')} to rounding; ` +
        `${of(({ opset }) => opset === 21)} at opset 21, ${of(({ notes }) => notes.length > 0)} changed or explained`,
      `shapes inferred: ${sum(({ complete }) => complete)} of ${sum(({ outputs }) => outputs)} outputs in full, ` +
        `${sum(({ wrong }) => wrong.length)} wrong`,
    ].join('\n'),
  );
  if (process.env.LATHE_PROVE)
    record('road', 'conformance', {
      cases: count,
      read: results.length,
      originals: kinds,
      writtenTheSame: results.filter(({ written }) => written.verdict === 'same').length,
      normalisedTheSame: results.filter(({ normalised }) => normalised.verdict === 'same').length,
      normalisedToRounding: results.filter(({ normalised }) => normalised.verdict === 'rounding').length,
    });
}

// Every ONNX backend test whose operators are written out before training: the answers stay, and what is left has gradient rules.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Refused } from '../../src/contract/words/refusal';
import { open, write } from '../../src/engine/formats/onnx';
import type { Model } from '../../src/engine/graph/graph';
import { elementCount } from '../../src/engine/graph/graph';
import { normalise } from '../../src/engine/graph/normalise';
import { numbersOf } from '../../src/engine/graph/tensor';
import { decompose } from '../../src/engine/train/decompose';
import { decompositions } from '../../src/engine/train/decompose/table';
import { withFixedInputs } from '../../src/engine/train/fix';
import { ruleOf } from '../../src/engine/train/rules';
import { hasTestData, testData } from '../data';
import { type Case, readCases, readFeed } from './cases';
import { compareAnswers } from './compare';
import { type Feed, type Feeds, RuntimePool } from './runtime-pool';

const isWritten = ({ graph }: Model): boolean =>
  graph.nodes.some(({ domain, op }) => Object.hasOwn(decompositions, `${domain}:${op}`));

describe.skipIf(!hasTestData)('operators written out for training', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-decompose-'));
  const pool = new RuntimePool(1);
  afterAll(() => {
    pool.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answer as the operators themselves', { timeout: 600_000 }, async () => {
    const found = {
      same: 0,
      stays: [] as string[],
      refused: [] as string[],
      different: [] as string[],
      without: [] as string[],
    };
    for (const one of readCases(testData('conformance/onnx-backend-tests.tar.gz'))) {
      const verdict = await compared(one);
      if (!verdict) continue;
      if (verdict === 'same') found.same++;
      else found[verdict.kind].push(`${one.name}: ${verdict.why}`);
    }
    console.log(
      `${found.same} the same, ${found.stays.length} stay as they are, ${found.refused.length} refused\n` +
        [...found.stays, ...found.refused].join('\n'),
    );
    expect(found.different).toEqual([]);
    expect(found.without).toEqual([]);
    expect(found.same).toBeGreaterThan(0);
  });

  type Verdict = 'same' | { kind: 'stays' | 'refused' | 'different' | 'without'; why: string };

  /** Null where the case is of no interest: nothing in it is written out, or the runtime does not run it. */
  async function compared(one: Case): Promise<Verdict | null> {
    const place = join(folder, one.name);
    mkdirSync(place, { recursive: true });
    const path = join(place, 'model.onnx');
    writeFileSync(path, one.model);
    try {
      const { model } = await normalise((await open(path)).model);
      if (!isWritten(model)) return null;
      const feeds = await feedsOf(model, one);
      if (!feeds) return null;
      const original = await pool.run(0, path, feeds);
      if (original.kind !== 'outputs') return null;
      // Half precision is not trained, and rounds at other places.
      if (original.outputs.some(({ dtype }) => dtype === 'float16')) return null;
      return await writtenOut(model, feeds, place, async (made) => {
        const answer = await pool.run(0, made, feeds);
        const { verdict, why } = compareAnswers(original, answer, false);
        return verdict === 'different' ? why : null;
      });
    } catch (error) {
      if (error instanceof Refused) return { kind: 'refused', why: error.message };
      throw error;
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }

  async function writtenOut(
    model: Model,
    feeds: NonNullable<Feeds>,
    place: string,
    differs: (path: string) => Promise<string | null>,
  ): Promise<Verdict> {
    const dims = new Map(Object.entries(feeds).map(([name, feed]) => [name, feed.dims]));
    const sample = Object.fromEntries(
      Object.entries(feeds).map(([name, { dtype, dims: size, bytes }]) => {
        const of = dtype === 'float16' ? 'uint16' : dtype;
        return [name, { dtype, dims: size, data: numbersOf(of as 'float32', elementCount(size), bytes!, name) }];
      }),
    );
    const fixed = await withFixedInputs(model, dims, sample as Parameters<typeof withFixedInputs>[2], place);
    const written = await decompose(fixed.model, fixed.known);
    if (isWritten(written.model)) return { kind: 'stays', why: 'a form that is not written out' };
    const missing = written.model.graph.nodes.find(({ domain, op }) => !ruleOf(domain, op) && !withoutGradient.has(op));
    if (missing) return { kind: 'without', why: `${missing.op} has no gradient rule` };
    const [file] = await write(written.model, { folder: place, file: 'written.onnx' });
    const why = await differs(join(place, file!));
    return why === null ? 'same' : { kind: 'different', why };
  }
});

/** What decompositions and the cases around them use on integers and truth values. */
const withoutGradient: ReadonlySet<string> = new Set(['Constant', 'Equal', 'Shape', 'Size', 'ConstantOfShape']);

async function feedsOf(model: Model, one: Case): Promise<Feeds> {
  const feeds: Record<string, Feed> = {};
  for (const [i, bytes] of one.inputs.entries()) {
    const feed = bytes ? await readFeed(bytes) : null;
    const input = model.graph.inputs[i];
    if (!feed || !input || feed.strings) return null;
    feeds[input.name] = feed;
  }
  return feeds;
}

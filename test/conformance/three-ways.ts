// One model three ways through the runtime: as it came, read and written, read, normalised and written.
import { join } from 'node:path';
import { encode, open, write } from '../../src/engine/formats/onnx';
import type { Model } from '../../src/engine/graph/graph';
import { normalise } from '../../src/engine/graph/normalise';
import { inferShapes, type Shapes } from '../../src/engine/graph/shapes';
import { verify } from '../../src/engine/graph/verify';
import { compareAnswers, type Verdict } from './compare';
import type { Answer, Feeds, RuntimePool } from './runtime-pool';

export interface ThreeWays {
  readonly original: Answer;
  readonly written: { verdict: Verdict; why: string };
  readonly normalised: { verdict: Verdict; why: string };
  readonly opset: number | undefined;
  readonly notes: readonly string[];
  /** Shapes inferred without the file's own declarations, against those the runtime gave. */
  readonly shapes: ShapeCheck;
  /** What `verify` says of the normalised model and did not say before. */
  readonly problems: readonly string[];
}

export interface ShapeCheck {
  readonly outputs: number;
  /** Outputs whose every size was inferred, as a number or a symbol. */
  readonly complete: number;
  /** Inferred sizes and types that the runtime contradicts. */
  readonly wrong: readonly string[];
}

const randomOperators = /^(Bernoulli|Multinomial|Random(Normal|Uniform)(Like)?)$/;

export async function threeWays(
  pool: RuntimePool,
  lane: number,
  path: string,
  folder: string,
  feedsOf: (model: Model) => Promise<Feeds>,
): Promise<ThreeWays> {
  const { model } = await open(path);
  const { model: dialect, notes } = await normalise(model);
  const feeds = await feedsOf(model);
  const isRandom = model.graph.nodes.some((node) => randomOperators.test(node.op) || isTrainingDropout(model, node.op));
  const [written] = await write(model, { folder, file: 'written.onnx' });
  const [normal] = await write(dialect, { folder, file: 'normalised.onnx' });
  const original = await pool.run(lane, path, feeds);
  const before = new Set(verify(model));
  return {
    original,
    written: compareAnswers(original, await pool.run(lane, join(folder, written!), feeds), isRandom),
    normalised: compareAnswers(original, await pool.run(lane, join(folder, normal!), feeds), isRandom),
    opset: dialect.opsets.get(''),
    notes,
    shapes: checkShapes(original, await inferShapes(model, { declared: false })),
    problems: [...verify(dialect).filter((problem) => !before.has(problem)), ...(await changesAgain(dialect))],
  };
}

/** A Dropout with three inputs may drop at random. */
function isTrainingDropout({ graph }: Model, op: string): boolean {
  return op === 'Dropout' && graph.nodes.some((node) => node.op === 'Dropout' && node.inputs.length === 3);
}

/** A second normalise finds nothing to do. */
async function changesAgain(model: Model): Promise<string[]> {
  const { model: again } = await normalise(model);
  return Buffer.compare(await encode(model), await encode(again)) === 0 ? [] : ['normalised twice it is another model'];
}

function checkShapes(answer: Answer, inferred: Shapes): ShapeCheck {
  const outputs = answer.kind === 'outputs' ? answer.outputs.filter(({ dtype }) => dtype !== 'other') : [];
  const wrong = outputs.flatMap(({ name, dtype, dims }) => {
    const found = inferred.get(name);
    const isTypeWrong = found?.dtype && found.dtype !== dtype;
    const isRankWrong = found?.shape && found.shape.length !== dims.length;
    const isSizeWrong = found?.shape?.some((dim, i) => typeof dim === 'number' && dim !== dims[i]);
    return isTypeWrong || isRankWrong || isSizeWrong
      ? [`${name}: inferred ${found?.dtype}[${found?.shape}], is ${dtype}[${dims}]`]
      : [];
  });
  const complete = outputs.filter(({ name }) => inferred.get(name)?.shape?.every((dim) => dim !== null)).length;
  return { outputs: outputs.length, complete, wrong };
}

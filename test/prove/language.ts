// The small language model of the test data, cut by a recipe in this process, and what it then loses.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { evaluate } from '../../src/engine/evaluate';
import { runRecipe } from '../../src/engine/run';
import type { Work } from '../../src/engine/tasks';
import { storiesModel, writeStories } from '../stories';

const quiet: Work = { emit: () => {}, stopping: false, signal: new AbortController().signal };

/** Mean negative log-likelihood of a token, on ids the model made itself and on held-out paragraphs. */
export interface Losses {
  selfgen: number;
  paragraphs: number;
}

export interface Step {
  method: string;
  params: Record<string, string | number>;
  layers?: { exclude: string[] };
}

/** The embeddings stay in float, as in the file that onnxruntime's own quantizer made. Float products where they are fast. */
export const rounded = (rounding: string, bits: number, groupSize: number): Step => ({
  method: 'weight-only',
  params: { rounding, bits, groupSize, activations: bits === 4 ? 'float32' : 'int8' },
  layers: { exclude: ['*Gather'] },
});

export class Stories {
  readonly data: { selfgen: string; paragraphs: string };
  private runs = 0;

  constructor(private readonly folder: string) {
    this.data = writeStories(folder);
  }

  async losses(path: string): Promise<Losses> {
    const loss = async (dataset: string) => {
      const { evaluation } = await evaluate({ path, dataset: { path: dataset } }, quiet);
      return evaluation.quality.more!.nllPerToken!;
    };
    return { selfgen: await loss(this.data.selfgen), paragraphs: await loss(this.data.paragraphs) };
  }

  /** The model behind these steps, calibrated on the odd paragraphs. */
  async cut(steps: Step[]): Promise<string> {
    const own = join(this.folder, `run-${this.runs++}`);
    mkdirSync(own);
    const recipe = { lathe: 1 as const, steps };
    await runRecipe(
      { path: storiesModel, recipe, seed: 7, folder: own, dataset: { path: this.data.selfgen }, limit: 1 },
      quiet,
    );
    return join(own, 'artifact/model.onnx');
  }
}

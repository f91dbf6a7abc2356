// How good the weights are on samples they do not learn from: the mean loss over the part that tunes.
import type { Feeds } from '../runtime/session';
import type { Objective } from './objective';
import { openProgram, type Program, type ProgramAsk, scalarFeed } from './program';
import type { Drawn, SampleStore } from './samples';

export interface Level {
  /** Mean loss over all samples. */
  readonly value: number;
  /** Half the width of its 95 % interval, from how the parts differ; absent where they are too few to say. */
  readonly band?: number;
}

const fewestParts = 4;

export class Judge {
  private readonly programs = new Map<number, { program: Program; draw: (i: ArrayLike<number>) => Promise<Drawn> }>();

  /** `rows`: samples taken together. */
  constructor(
    private readonly ask: ProgramAsk & { readonly objective: Objective },
    private readonly store: SampleStore,
    private readonly rows: number,
    private readonly signal: AbortSignal,
  ) {}

  /** `weights` feeds the parameters. */
  async level(weights: Feeds): Promise<Level> {
    const { store, rows } = this;
    const parts: { loss: number; answers: number }[] = [];
    for (let from = 0; from < store.count; from += rows) {
      this.signal.throwIfAborted();
      const indices = Array.from({ length: Math.min(rows, store.count - from) }, (_, i) => from + i);
      const { program, draw } = await this.programFor(indices.length, indices);
      const drawn = await draw(indices);
      const loss = scalarFeed();
      await program.run(
        { ...drawn.feeds, ...(await this.ask.objective.feeds(drawn)), ...weights },
        { [program.loss]: loss },
      );
      const answers = this.ask.objective.answers(drawn);
      parts.push({ loss: loss.data[0]!, answers });
    }
    return levelOf(parts);
  }

  /** The last samples are fewer, and have a program of their own. */
  private async programFor(rows: number, indices: readonly number[]) {
    const known = this.programs.get(rows);
    if (known) return known;
    const draw = this.store.reader(rows);
    const program = await openProgram(this.ask, 'judge', (await draw(indices)).feeds);
    const made = { program, draw };
    this.programs.set(rows, made);
    return made;
  }

  async close(): Promise<void> {
    for (const { program } of this.programs.values()) await program.close();
    this.programs.clear();
  }
}

/** The parts are drawn from one pool: their spread, weighted by their answers, tells how far their mean may be off. */
export function levelOf(parts: readonly { readonly loss: number; readonly answers: number }[]): Level {
  const count = parts.reduce((sum, { answers }) => sum + answers, 0);
  const value = parts.reduce((sum, { loss, answers }) => sum + loss * answers, 0) / count;
  if (parts.length < fewestParts || !Number.isFinite(value)) return { value };
  const squares = parts.reduce((sum, { loss, answers }) => sum + (answers / count) ** 2 * (loss - value) ** 2, 0);
  return { value, band: 1.96 * Math.sqrt((squares * parts.length) / (parts.length - 1)) };
}

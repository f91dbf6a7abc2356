// How good the weights are on samples they do not learn from: the mean loss over the part that tunes.
import type { Feeds } from '../runtime/session';
import type { Objective } from './objective';
import { openProgram, type Program, type ProgramAsk, scalarFeed } from './program';
import type { Drawn, SampleStore } from './samples';

export class Judge {
  private readonly programs = new Map<number, { program: Program; draw: (i: ArrayLike<number>) => Promise<Drawn> }>();

  /** `rows`: samples taken together. */
  constructor(
    private readonly ask: ProgramAsk & { readonly objective: Objective },
    private readonly store: SampleStore,
    private readonly rows: number,
    private readonly signal: AbortSignal,
  ) {}

  /** Mean loss over all samples; `weights` feeds the parameters. */
  async level(weights: Feeds): Promise<number> {
    const { store, rows } = this;
    let sum = 0;
    let count = 0;
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
      sum += loss.data[0]! * answers;
      count += answers;
    }
    return sum / count;
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

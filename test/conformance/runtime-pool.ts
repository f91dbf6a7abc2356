// Child processes that run models; one that a model aborts is replaced, and the model's answer is `abort`.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

export interface Feed {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly bytes?: Uint8Array;
  readonly strings?: readonly string[];
}

export interface Output {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

export type Answer =
  | { readonly kind: 'outputs'; readonly outputs: readonly Output[] }
  | { readonly kind: 'load' | 'run'; readonly message: string }
  | { readonly kind: 'abort' };

export type Feeds = Readonly<Record<string, Feed>> | null;

// A model that hangs is as good as one that aborts.
const patienceMs = 20_000;
// Sessions leak a little; a fresh process now and then keeps the suite small.
const runsPerChild = 600;

export class RuntimePool {
  private readonly lanes: Promise<unknown>[];
  private readonly children: (ChildProcess | null)[];
  private readonly runs: number[];

  constructor(size = 2) {
    this.lanes = Array.from({ length: size }, () => Promise.resolve());
    this.children = Array.from({ length: size }, () => null);
    this.runs = Array.from({ length: size }, () => 0);
  }

  /** `null` feeds only load the model. Calls on one lane run one after the other. */
  run(lane: number, path: string, feeds: Feeds): Promise<Answer> {
    const next = this.lanes[lane]!.then(() => this.ask(lane, path, feeds));
    this.lanes[lane] = next;
    return next;
  }

  close(): void {
    for (const child of this.children) child?.kill('SIGKILL');
  }

  private async ask(lane: number, path: string, feeds: Feeds): Promise<Answer> {
    if (this.runs[lane]! >= runsPerChild) this.drop(lane);
    const child = this.children[lane] ?? (await this.start(lane));
    this.runs[lane]!++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => end({ kind: 'abort' }), patienceMs);
      const onExit = (): void => end({ kind: 'abort' });
      const onMessage = ({ answer }: { answer: Answer }): void => end(answer);
      const end = (answer: Answer): void => {
        clearTimeout(timer);
        child.off('exit', onExit);
        child.off('message', onMessage);
        if (answer.kind === 'abort') this.drop(lane);
        resolve(answer);
      };
      child.on('exit', onExit);
      child.on('message', onMessage);
      child.send({ id: 1, path, feeds });
    });
  }

  private drop(lane: number): void {
    this.children[lane]?.kill('SIGKILL');
    this.children[lane] = null;
    this.runs[lane] = 0;
  }

  private start(lane: number): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'runtime-child.mjs'), [], {
      execPath: process.execPath,
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.children[lane] = child;
    return new Promise((resolve, reject) => {
      child.once('message', () => resolve(child));
      child.once('error', reject);
      child.once('exit', () => reject(new Error('the runtime process did not start')));
    });
  }
}

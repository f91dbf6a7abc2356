// The words between the caller and its kernel threads, and one thread's part of a task.
import type { Bench } from './bench';
import type { Address, WasmMemory, WasmModule } from './kernel-set';
import { ChangedFile } from './source';
import { starters, type TaskName } from './tasks';
import type { Share } from './tasks/task';

export interface Start {
  readonly memory: WasmMemory;
  readonly module: WasmModule | null;
}

export interface ToThread {
  readonly id: number;
  readonly name: TaskName;
  readonly ask: unknown;
  readonly pieces: number;
  readonly slot: { readonly start: Address; readonly bytes: number };
  /** [next piece, 1 once the task is given up] */
  readonly shared: Int32Array;
}

export type FromThread =
  | { readonly kind: 'piece'; readonly id: number; readonly index: number; readonly piece: unknown }
  | { readonly kind: 'end'; readonly id: number; readonly end: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly changed: boolean; readonly error: Error };

/** Buffers of the typed arrays in an answer, so that they change hands without a copy. */
function buffersOf(answer: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(answer)) return answer.buffer instanceof ArrayBuffer ? [answer.buffer] : [];
  return answer && typeof answer === 'object' ? Object.values(answer).flatMap(buffersOf) : [];
}

/** Takes pieces until none is left; what goes wrong is posted, never thrown. */
export function runShare(
  bench: Bench,
  task: ToThread,
  post: (answer: FromThread, transfer?: ArrayBuffer[]) => void,
): void {
  const { id, shared, pieces } = task;
  try {
    bench.moveTo(task.slot.start, task.slot.bytes);
    const start = starters[task.name] as (bench: Bench, ask: unknown) => Share<unknown, unknown>;
    const share = start(bench, task.ask);
    while (Atomics.load(shared, 1) === 0) {
      const index = Atomics.add(shared, 0, 1);
      if (index >= pieces) break;
      const piece = share.piece(index);
      if (piece !== null) post({ kind: 'piece', id, index, piece }, buffersOf(piece));
    }
    const end = share.end();
    post({ kind: 'end', id, end }, buffersOf(end));
  } catch (error) {
    Atomics.store(shared, 1, 1);
    post({ kind: 'failed', id, error: error as Error, changed: error instanceof ChangedFile });
  } finally {
    bench.reader.close();
  }
}

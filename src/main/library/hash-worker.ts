// Hashing thread: streams files through SHA-256 without holding the host up; tells how far it is and notices a file that changes meanwhile.
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

export interface HashTask {
  readonly id: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly mtimeMs: number }[];
}
export type ToHasher = ({ readonly kind: 'hash' } & HashTask) | { readonly kind: 'cancel'; readonly id: number };
export type FromHasher =
  | { readonly kind: 'progress'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'done'; readonly id: number; readonly sha256: readonly string[] }
  | { readonly kind: 'changed'; readonly id: number; readonly path: string }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly code: string | undefined;
      readonly message: string;
      readonly path: string;
    };

const pieceBytes = 4 << 20;
/** Between two looks at the messages: about 20 ms of hashing. */
const breathBytes = 32 << 20;

const port = parentPort!;
const cancelled = new Set<number>();
const piece = Buffer.allocUnsafe(pieceBytes);
let last = Promise.resolve();

port.on('message', (message: ToHasher) => {
  if (message.kind === 'cancel') cancelled.add(message.id);
  else last = last.then(() => hash(message));
});

async function hash({ id, files }: HashTask): Promise<void> {
  const sha256: string[] = [];
  let done = 0;
  for (const expected of files) {
    let file: number | undefined;
    try {
      file = openSync(expected.path, 'r');
      const digest = createHash('sha256');
      let breath = 0;
      for (let read: number; (read = readSync(file, piece, 0, pieceBytes, null)) > 0; ) {
        digest.update(piece.subarray(0, read));
        done += read;
        breath += read;
        if (breath < breathBytes) continue;
        breath = 0;
        tell({ kind: 'progress', id, bytes: done });
        await new Promise(setImmediate);
        if (cancelled.delete(id)) return;
      }
      const now = fstatSync(file);
      if (now.size !== expected.bytes || now.mtimeMs !== expected.mtimeMs) {
        tell({ kind: 'changed', id, path: expected.path });
        return;
      }
      sha256.push(digest.digest('hex'));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      tell({ kind: 'failed', id, code, message, path: expected.path });
      return;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }
  cancelled.delete(id);
  tell({ kind: 'done', id, sha256 });
}

function tell(message: FromHasher): void {
  port.postMessage(message);
}

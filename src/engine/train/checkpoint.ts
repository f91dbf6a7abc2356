// Checkpoints of a training: everything that its next step depends on, in one file; written beside, then renamed; the last two are kept.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/**
 * bytes 0–7    "LATHE-CP"
 * bytes 8–11   length of the header, uint32 little-endian
 * header       JSON: { state, arrays: [{ name, length }] }, filled with spaces to a multiple of 4
 * arrays       float32 little-endian, one after another
 * last 4 bytes CRC-32 of everything before
 */
const magic = 'LATHE-CP';
const keptFiles = 2;
/** Of a job, with a folder for each training in it. */
export const checkpointsFolder = 'checkpoints';
const fileName = /^step-(\d{10})\.checkpoint$/;

export interface Checkpoint<State> {
  /** Plain JSON. */
  readonly state: State;
  readonly arrays: ReadonlyMap<string, Float32Array>;
}

/** On failure the checkpoints that were there stay as they are. */
export async function writeCheckpoint<State>(
  folder: string,
  step: number,
  { state, arrays }: Checkpoint<State>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const entries = [...arrays].map(([name, values]) => ({ name, length: values.length }));
  const text = JSON.stringify({ state, arrays: entries });
  const header = Buffer.from(text + ' '.repeat((4 - (Buffer.byteLength(text) % 4)) % 4), 'utf8');
  const start = Buffer.alloc(12);
  start.write(magic, 0, 'latin1');
  start.writeUInt32LE(header.length, 8);
  const name = `step-${String(step).padStart(10, '0')}.checkpoint`;
  const beside = join(folder, `${name}.part`);
  const handle = await open(beside, 'w');
  try {
    let sum = 0;
    for (const piece of [start, header, ...[...arrays.values()].map(asBytes)]) {
      sum = crc32(piece, sum);
      for (let done = 0; done < piece.byteLength; )
        done += (await handle.write(piece, done, piece.byteLength - done)).bytesWritten;
    }
    const end = Buffer.alloc(4);
    end.writeUInt32LE(sum);
    await handle.write(end);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, join(folder, name));
  await syncFolder(folder);
  for (const old of (await stepsIn(folder)).slice(keptFiles)) await rm(join(folder, old), { force: true });
}

/** The newest checkpoint that is whole; null where there is none. */
export async function readCheckpoint<State>(folder: string): Promise<Checkpoint<State> | null> {
  for (const name of await stepsIn(folder)) {
    const found = decode<State>(await readFile(join(folder, name)));
    if (found) return found;
  }
  return null;
}

/** The run is over: what it could have resumed from goes. */
export async function removeCheckpoints(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

function decode<State>(bytes: Buffer): Checkpoint<State> | null {
  if (bytes.length < 16 || bytes.toString('latin1', 0, 8) !== magic) return null;
  if (crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(bytes.length - 4)) return null;
  const headerLength = bytes.readUInt32LE(8);
  const header = JSON.parse(bytes.toString('utf8', 12, 12 + headerLength)) as {
    state: State;
    arrays: { name: string; length: number }[];
  };
  const arrays = new Map<string, Float32Array>();
  let at = 12 + headerLength;
  for (const { name, length } of header.arrays) {
    const values = new Float32Array(length);
    asBytes(values).set(bytes.subarray(at, at + length * 4));
    arrays.set(name, values);
    at += length * 4;
  }
  return { state: header.state, arrays };
}

/** Names of checkpoint files, newest first. */
async function stepsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => fileName.test(name)).sort((a, b) => (a < b ? 1 : -1));
}

const asBytes = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function syncFolder(folder: string): Promise<void> {
  // Windows does not open folders; there the rename is as durable as it gets.
  const handle = await open(folder, 'r').catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

// How a file of a bundle lies in its zip: as it is, or by the packing that a few pieces of it say is worth its time.
import { open } from 'node:fs/promises';
import { constants, deflateRawSync } from 'node:zlib';
import { deflateSync, ZipDeflate, type ZipInputFile, ZipPassThrough } from 'fflate';

/** `codes`: frequent bytes in fewer bits. `repeats`: runs and repetitions too. */
export type Packing = 'none' | 'codes' | 'repeats';

const pieces = 16;
const pieceBytes = 2 ** 16;
/** Packing that saves less than this share is not worth unpacking. */
const leastGain = 0.05;
/** Repeats take several times as long to find, and must save this much more. */
const worthSearching = 0.02;
/** Of weights whose zeros repeat: the highest level saves 1 to 2 % more and takes several times as long. */
const quickLevel = 1;

/** Quantized weights are codes that differ in frequency; pruned floats are repeated zeros; dense floats are neither. */
export async function packingOf(path: string, bytes: number): Promise<Packing> {
  const handle = await open(path, 'r');
  try {
    const sizes = { none: 0, codes: 0, repeats: 0 };
    for (let i = 0; i < pieces; i++) {
      const at = Math.floor((Math.max(0, bytes - pieceBytes) * i) / (pieces - 1));
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(pieceBytes), 0, pieceBytes, at);
      const piece = buffer.subarray(0, bytesRead);
      sizes.none += bytesRead;
      sizes.codes += encoded(piece, true).length;
      sizes.repeats += deflateSync(piece, { level: quickLevel }).length;
      if (bytes <= pieceBytes) break;
    }
    const least = Math.min(sizes.codes, sizes.repeats);
    if (least > sizes.none * (1 - leastGain)) return 'none';
    return sizes.codes - sizes.repeats > sizes.none * worthSearching ? 'repeats' : 'codes';
  } finally {
    await handle.close();
  }
}

export function memberOf(name: string, packing: Packing | 'text'): ZipPassThrough {
  switch (packing) {
    case 'text':
      return new ZipDeflate(name, { level: 9 }) as ZipInputFile as ZipPassThrough;
    case 'repeats':
      return new ZipDeflate(name, { level: quickLevel }) as ZipInputFile as ZipPassThrough;
    case 'codes':
      return new ZipCodes(name);
    case 'none':
      return new ZipPassThrough(name);
    default:
      return packing satisfies never;
  }
}

/** Huffman codes alone, each piece in blocks of its own: what is searched for differs between processors, counting bytes does not. */
class ZipCodes extends ZipPassThrough {
  override compression = 8;

  override process(piece: Uint8Array, isLast: boolean): void {
    this.ondata(null, encoded(piece, isLast), isLast);
  }
}

function encoded(piece: Uint8Array, isLast: boolean): Uint8Array<ArrayBuffer> {
  return deflateRawSync(piece, {
    strategy: constants.Z_HUFFMAN_ONLY,
    memLevel: 9,
    finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
  });
}

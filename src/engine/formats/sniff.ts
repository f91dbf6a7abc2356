// What a file really is, by its first bytes and never by its name: so that a refusal can name it.
import { closeSync, constants, openSync, readSync } from 'node:fs';

export interface Kind {
  /** Completes the sentence "model.onnx is …". */
  readonly is: string;
  /** A model of a kind this build does not read, or no model at all. */
  readonly code: 'unsupported' | 'bad-model';
  readonly mend?: string;
}

const exportToOnnx = 'Export it as ONNX with the framework that made it, then open the .onnx file.';

interface Signature {
  readonly at: number;
  readonly bytes: string;
  readonly kind: Kind;
}

/** Signatures as latin-1 text. The longer one first where two begin alike. */
const signatures: readonly Signature[] = [
  {
    at: 0,
    bytes: 'version https://git-lfs.github.com/spec/',
    kind: {
      is: 'a Git LFS pointer: the name of a model, not the model',
      code: 'bad-model',
      mend: 'Run `git lfs pull` in its repository, or download the file itself.',
    },
  },
  { at: 0, bytes: 'GGUF', kind: { is: 'a GGUF model', code: 'unsupported' } },
  { at: 0, bytes: 'FUGG', kind: { is: 'a big-endian GGUF model', code: 'unsupported' } },
  { at: 4, bytes: 'TFL3', kind: { is: 'a TensorFlow Lite model', code: 'unsupported' } },
  {
    at: 4,
    bytes: 'ORTM',
    kind: {
      is: 'a model in onnxruntime’s own format',
      code: 'unsupported',
      mend: 'Open the .onnx file it was made from.',
    },
  },
  {
    at: 0,
    bytes: '\x89HDF\r\n',
    kind: { is: 'an HDF5 file, as Keras writes', code: 'unsupported', mend: exportToOnnx },
  },
  { at: 0, bytes: '\x93NUMPY', kind: { is: 'a NumPy array', code: 'bad-model' } },
  { at: 0, bytes: '\x89PNG', kind: { is: 'a PNG picture', code: 'bad-model' } },
  { at: 0, bytes: '\xff\xd8\xff', kind: { is: 'a JPEG picture', code: 'bad-model' } },
  { at: 0, bytes: '%PDF', kind: { is: 'a PDF document', code: 'bad-model' } },
  { at: 0, bytes: '\x7fELF', kind: { is: 'a program', code: 'bad-model' } },
  { at: 0, bytes: '\x1f\x8b', kind: { is: 'compressed with gzip', code: 'bad-model', mend: 'Unpack it first.' } },
  { at: 0, bytes: '\xfd7zXZ', kind: { is: 'compressed with xz', code: 'bad-model', mend: 'Unpack it first.' } },
  {
    at: 0,
    bytes: '\x28\xb5\x2f\xfd',
    kind: { is: 'compressed with zstd', code: 'bad-model', mend: 'Unpack it first.' },
  },
  { at: 0, bytes: 'BZh', kind: { is: 'compressed with bzip2', code: 'bad-model', mend: 'Unpack it first.' } },
  { at: 0, bytes: '7z\xbc\xaf', kind: { is: 'a 7z archive', code: 'bad-model', mend: 'Unpack it first.' } },
  { at: 257, bytes: 'ustar', kind: { is: 'a tar archive', code: 'bad-model', mend: 'Unpack it first.' } },
];

const pickle: Kind = {
  is: 'a Python pickle, which is a program that runs when it is loaded',
  code: 'unsupported',
  mend: exportToOnnx,
};
const headBytes = 512;

/** The kind of a file that is surely not ONNX; null when only reading it will tell. */
export function sniff(path: string): Kind | null {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const head = Buffer.alloc(headBytes);
    return kindOf(head.subarray(0, readSync(descriptor, head, 0, headBytes, 0)));
  } finally {
    closeSync(descriptor);
  }
}

export function kindOf(head: Uint8Array): Kind | null {
  if (head.length === 0) return { is: 'empty: it has 0 bytes', code: 'bad-model', mend: 'Fetch or export it again.' };
  const text = Buffer.from(head).toString('latin1');
  for (const { at, bytes, kind } of signatures) if (text.startsWith(bytes, at)) return kind;
  if (text.startsWith('PK\x03\x04')) {
    return /\.pkl|\/data\.pkl|archive\//.test(text)
      ? { ...pickle, is: `a PyTorch checkpoint: ${pickle.is}` }
      : { is: 'a zip archive', code: 'bad-model', mend: 'Unpack it first.' };
  }
  // PROTO opcode, protocol 2 to 5, then a frame, or the first opcode of a dictionary, a tuple or a global.
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5 && '\x95}(]cq\x8a\x8c'.includes(text[2] ?? 'none'))
    return pickle;
  if (isSafetensors(head)) return { is: 'a safetensors file', code: 'unsupported' };
  if (/^\s*(<!doctype html|<html)/i.test(text)) {
    return { is: 'a web page, as a failed download leaves it', code: 'bad-model', mend: 'Download the file itself.' };
  }
  if (isText(head)) {
    return /^\s*[{[]/.test(text)
      ? { is: 'JSON text', code: 'unsupported' }
      : { is: 'plain text, not a model', code: 'bad-model' };
  }
  return null;
}

/** The length of a JSON header in 8 bytes, then the header. Lengths of 2^48 and more are left to the reader of that format. */
function isSafetensors(head: Uint8Array): boolean {
  return head[8] === 0x7b && head[0] !== 0x7b;
}

/** Printable ASCII, tabs and line ends throughout. A protobuf message has a byte below 0x09 or above 0x7e within its first fields. */
function isText(head: Uint8Array): boolean {
  return head.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));
}

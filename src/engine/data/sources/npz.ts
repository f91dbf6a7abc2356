// NumPy .npz: a zip of .npy members, stored or deflated, named by their key.
import { basename } from 'node:path';
import { refuse } from '../../../contract/words/refusal';
import { seeFile } from '../bytes';
import { ZipFile } from '../zip';
import { type ArrayHeader, arraySource } from './array';
import { readNpyFacts } from './npy';
import type { Source, SourceRequest } from './source';

/** Keys and how many bytes each member unpacks to. */
export async function npzKeys(path: string): Promise<Map<string, number>> {
  await seeFile(path);
  const zip = await ZipFile.open(path);
  try {
    const arrays = zip.members.filter((member) => member.name.endsWith('.npy'));
    return new Map(arrays.map((member) => [member.name.slice(0, -4), member.bytes]));
  } finally {
    await zip.close();
  }
}

export async function readNpzHeader(path: string, key: string | null): Promise<ArrayHeader> {
  const file = await seeFile(path);
  const keys = await npzKeys(path);
  const list = [...keys.keys()].join(', ') || 'nothing';
  const chosen = key ?? (keys.size === 1 ? [...keys.keys()][0]! : null);
  if (chosen === null) {
    refuse('bad-dataset', `${basename(path)} holds ${list}.`, 'Say which, as in "format": "npz:images".');
  }
  const held = keys.get(chosen);
  if (held === undefined) refuse('bad-dataset', `${basename(path)} has no ${chosen}; it holds ${list}.`);

  const name = `${basename(path)}:${chosen}`;
  const open = async (at: number) => {
    const stream = await ZipFile.openMember(path, `${chosen}.npy`);
    await stream.skip(at);
    return stream;
  };
  const stream = await open(0);
  try {
    const facts = await readNpyFacts(stream, name);
    const announced = facts.offset + facts.dims.reduce((product, dim) => product * dim, facts.bytesPerValue);
    if (announced !== held) {
      refuse(
        'bad-dataset',
        `${name} announces ${facts.dims.join('×')} values and holds ${held} bytes, which do not agree.`,
      );
    }
    return { format: 'npz', name, file, ...facts, open };
  } finally {
    await stream.close();
  }
}

export async function openNpz(request: SourceRequest): Promise<Source> {
  return arraySource(await readNpzHeader(request.path, request.key));
}

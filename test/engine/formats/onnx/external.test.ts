// External data: what a location may name and what it may not, on a real disk with real links.
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Refused } from '../../../../src/contract/words/refusal';
import { openFormat } from '../../../../src/engine/formats';
import { Encoder } from '../../../../src/engine/formats/onnx/encoder';
import { readFloats } from '../../../../src/engine/graph/tensor';

const root = mkdtempSync(join(tmpdir(), 'lathe-external-'));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;

type Entries = Record<string, string>;

/** A model of float32[4] initializers `w0`, `w1` …, each with the given external data. */
function modelBytes(...tensors: Entries[]): Uint8Array {
  const graph = new Encoder().text(2, 'g');
  tensors.forEach((entries, i) => {
    const tensor = new Encoder().int(1, 4).int(2, 1).text(8, `w${i}`);
    for (const [key, value] of Object.entries(entries)) tensor.message(13, new Encoder().text(1, key).text(2, value));
    graph.message(5, tensor.int(14, 1));
  });
  graph.message(12, new Encoder().text(1, 'w0'));
  const model = new Encoder().int(1, 10).message(7, graph).message(8, new Encoder().text(1, '').int(2, 21));
  return Buffer.concat(model.pieces() as Uint8Array[]);
}

/** A fresh folder with `files`; strings are texts of links. */
function place(files: Record<string, Uint8Array>): string {
  const folder = join(root, String(folders++));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
const firstOf = async (path: string) => {
  const { model } = await openFormat(path);
  return [...(await readFloats(model.graph.initializers.get('w0')!))];
};

describe('opens', () => {
  test('a file beside the model, with offset and length, and without', async () => {
    const both = modelBytes({ location: 'w.bin', offset: '16', length: '16' }, { location: 'w.bin' });
    const folder = place({ 'model.onnx': both, 'w.bin': numbers });
    expect(await firstOf(folder)).toEqual([5, 6, 7, 8]);
    expect((await openFormat(folder)).files).toEqual([join(folder, 'model.onnx'), join(folder, 'w.bin')]);
  });

  test('a file in a folder below', async () => {
    const folder = place({ 'model.onnx': modelBytes({ location: 'data/w.bin' }), 'data/w.bin': numbers });
    expect(await firstOf(folder)).toEqual([1, 2, 3, 4]);
  });

  test('tied weights: the same bytes under two names', async () => {
    const folder = place({ 'model.onnx': modelBytes({ location: 'w' }, { location: 'w' }), w: numbers });
    expect(await firstOf(folder)).toEqual([1, 2, 3, 4]);
  });

  test('a Hugging Face cache, where every file is a link into blobs', async () => {
    const folder = place({ 'blobs/aaa': modelBytes({ location: 'model.onnx_data' }), 'blobs/bbb': numbers });
    const snapshot = join(folder, 'snapshots/0123/onnx');
    mkdirSync(snapshot, { recursive: true });
    symlinkSync('../../../blobs/aaa', join(snapshot, 'model.onnx'));
    symlinkSync('../../../blobs/bbb', join(snapshot, 'model.onnx_data'));
    const { files } = await openFormat(snapshot);
    expect(files).toEqual([join(snapshot, 'model.onnx'), join(snapshot, 'model.onnx_data')]);
    expect(await firstOf(snapshot)).toEqual([1, 2, 3, 4]);
  });

  test('such a cache whose model was replaced by a file', async () => {
    const folder = place({ 'snapshots/0123/model.onnx': modelBytes({ location: 'd' }), 'blobs/bbb': numbers });
    symlinkSync('../../blobs/bbb', join(folder, 'snapshots/0123/d'));
    expect(await firstOf(join(folder, 'snapshots/0123'))).toEqual([1, 2, 3, 4]);
  });

  test('a link to a model elsewhere: its data lies beside the model, not beside the link', async () => {
    const folder = place({ 'real/model.onnx': modelBytes({ location: 'w.bin' }), 'real/w.bin': numbers });
    symlinkSync(join(folder, 'real/model.onnx'), join(folder, 'shortcut.onnx'));
    expect(await firstOf(join(folder, 'shortcut.onnx'))).toEqual([1, 2, 3, 4]);
  });

  test('a folder that is itself reached by a link', async () => {
    const folder = place({ 'real/model.onnx': modelBytes({ location: 'w.bin' }), 'real/w.bin': numbers });
    symlinkSync(join(folder, 'real'), join(folder, 'alias'));
    expect(await firstOf(join(folder, 'alias'))).toEqual([1, 2, 3, 4]);
  });
});

describe('refuses', () => {
  test.each<[string, Entries[], RegExp]>([
    ['no location', [{}], /does not say which file/],
    ['..', [{ location: '../secret' }], /leads out of the model's folder/],
    ['.. in the middle', [{ location: 'a/../../secret' }], /leads out of the model's folder/],
    ['.. with backslashes', [{ location: 'a\\..\\..\\secret' }], /leads out of the model's folder/],
    ['an absolute path', [{ location: '/etc/passwd' }], /absolute path \/etc\/passwd/],
    ['a drive', [{ location: 'C:\\secret' }], /absolute path/],
    ['a network share', [{ location: '\\\\host\\share' }], /absolute path/],
    ['a zero byte', [{ location: 'w\0.bin' }], /zero byte/],
    ['memory', [{ location: '*/_ORT_MEM_ADDR_/*', offset: '140000000' }], /an address in memory/],
    ['a missing file', [{ location: 'gone.bin' }], /keeps its weights in gone\.bin, which is not beside it/],
    ['the folder itself', [{ location: '.' }], /link that leads out|is not a file/],
    ['a folder', [{ location: 'folder' }], /folder is not a file/],
    ['a negative offset', [{ location: 'w', offset: '-4' }], /the offset "-4"/],
    ['an offset in hex', [{ location: 'w', offset: '0x10' }], /the offset "0x10"/],
    ['an offset beyond 2^53', [{ location: 'w', offset: '9007199254740993' }], /the offset "9007199254740993"/],
    ['an offset past the end', [{ location: 'w', offset: '20' }], /claims bytes 20 to 36 of w, which has 32/],
    ['a length that is not the shape', [{ location: 'w', length: '12' }], /takes 16 bytes and claims 12/],
    ['overlap', [{ location: 'w' }, { location: 'w', offset: '8' }], /two tensors overlap in w at byte 8/],
    ['an unknown key', [{ location: 'w', __proto: 'x' }], /the key __proto/],
    ['a basepath', [{ location: 'w', basepath: '/etc' }], /with a basepath/],
    ['the same claimed over and over', Array(40).fill({ location: 'w' }), /tensors claim 528 bytes of w, which has 32/],
  ])('%s', async (_, tensors, sentence) => {
    const folder = place({ 'model.onnx': modelBytes(...tensors), w: numbers, 'folder/x': numbers, secret: numbers });
    await expect(openFormat(folder)).rejects.toThrow(sentence);
    await expect(openFormat(folder)).rejects.toThrow(Refused);
  });

  test('a link out of the folder', async () => {
    const folder = place({ 'm/model.onnx': modelBytes({ location: 'w' }), secret: numbers });
    symlinkSync(join(folder, 'secret'), join(folder, 'm/w'));
    await expect(openFormat(join(folder, 'm'))).rejects.toThrow(/w is a link that leads out of the model's folder/);
  });

  test('a link to a folder outside, and a file in it', async () => {
    const folder = place({ 'm/model.onnx': modelBytes({ location: 'sub/w' }), 'outside/w': numbers });
    symlinkSync(join(folder, 'outside'), join(folder, 'm/sub'));
    await expect(openFormat(join(folder, 'm'))).rejects.toThrow(/leads out of the model's folder/);
  });

  test('a folder whose name begins like the model’s', async () => {
    const folder = place({ 'm/model.onnx': modelBytes({ location: 'w' }), 'm-evil/w': numbers });
    symlinkSync('../m-evil/w', join(folder, 'm/w'));
    await expect(openFormat(join(folder, 'm'))).rejects.toThrow(/leads out of the model's folder/);
  });

  test('a link that leads to itself', async () => {
    const folder = place({ 'model.onnx': modelBytes({ location: 'w' }) });
    symlinkSync('w', join(folder, 'w'));
    await expect(openFormat(folder)).rejects.toThrow(/w cannot be opened \(ELOOP\)/);
  });

  test.skipIf(process.platform === 'win32')('a device', async () => {
    const folder = place({ 'model.onnx': modelBytes({ location: 'w' }) });
    symlinkSync('/dev/zero', join(folder, 'w'));
    await expect(openFormat(folder)).rejects.toThrow(Refused);
  });

  test('data that was swapped for a link after opening', async () => {
    const folder = place({ 'model.onnx': modelBytes({ location: 'w' }), w: numbers, other: numbers });
    const { model } = await openFormat(folder);
    rmSync(join(folder, 'w'));
    symlinkSync('other', join(folder, 'w'));
    await expect(readFloats(model.graph.initializers.get('w0')!)).rejects.toThrow('no longer where it was');
  });
});

test('hard links are only looked at on writing: shared caches are full of them', async () => {
  const folder = place({ 'model.onnx': modelBytes({ location: 'w' }), w: numbers });
  linkSync(join(folder, 'w'), join(folder, 'w-again'));
  expect(await firstOf(folder)).toEqual([1, 2, 3, 4]);
});

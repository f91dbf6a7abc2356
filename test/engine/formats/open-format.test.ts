// Opening whatever a path turns out to be: broken, hostile and foreign files are a result or a refusal, quickly and in little memory.
import { globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Refused } from '../../../src/contract/words/refusal';
import { openFormat } from '../../../src/engine/formats';
import { encode } from '../../../src/engine/formats/onnx';
import { hasTestData, testData } from '../../data';
import { tinyMlp } from '../models';

const root = mkdtempSync(join(tmpdir(), 'lathe-open-'));
afterAll(() => rmSync(root, { recursive: true }));

async function outcome(path: string): Promise<string> {
  try {
    const { model } = await openFormat(path);
    return `model of ${model.graph.nodes.length} nodes`;
  } catch (cause) {
    if (cause instanceof Refused) return `${cause.refusal.code}: ${cause.refusal.sentence}`;
    throw cause;
  }
}

describe.skipIf(!hasTestData)('bad files', () => {
  const paths = hasTestData ? globSync(testData('bad/*.{onnx,safetensors,gguf,json}')).sort() : [];
  const files = paths.filter((path) => basename(path) !== 'index.json');

  test('there are 66 of them', () => expect(files.length).toBe(66));

  test.each(files.map((path) => [basename(path), path]))('%s', async (name, path) => {
    const before = process.memoryUsage().rss;
    const start = performance.now();
    const result = await outcome(path);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(500e6);
    expect(result).toMatchSnapshot();
    // Every other format is told what this build opens; an empty file is only empty.
    if (!name.endsWith('.onnx')) expect(result).toMatch(/^(unsupported|bad-model): .*(ONNX model|is empty)/);
  });
});

describe('a path', () => {
  const folder = (files: Record<string, Uint8Array | string>) => {
    const path = mkdtempSync(join(root, 'f-'));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
    return path;
  };

  test('that does not exist', async () => {
    expect(await outcome(join(root, 'none.onnx'))).toMatch(/^not-found: .*none\.onnx does not exist\.$/);
    const file = join(folder({ file: 'x' }), 'file/below.onnx');
    expect(await outcome(file)).toMatch(/^not-found/);
  });

  test('to a folder with one model, with none and with two', async () => {
    const bytes = await encode(tinyMlp());
    expect(await outcome(folder({ 'a.onnx': bytes, 'a.onnx.data': 'x', '.hidden.onnx': 'x' }))).toBe(
      'model of 4 nodes',
    );
    expect(await outcome(folder({ 'readme.md': 'x' }))).toMatch(/^not-found: .* holds no \.onnx file\.$/);
    expect(await outcome(folder({ 'b.onnx': bytes, 'a.ONNX': bytes }))).toMatch(
      /^usage: .* holds 2 models: a\.ONNX, b\.onnx\.$/,
    );
  });

  test('to a folder called like a model', async () => {
    const path = join(root, 'folder.onnx');
    mkdirSync(path);
    expect(await outcome(path)).toMatch(/holds no \.onnx file/);
  });

  test('with spaces, dots and letters of any script', async () => {
    const path = join(folder({}), 'ein Modell – Größe 模型 .v2.onnx');
    writeFileSync(path, await encode(tinyMlp()));
    expect(await outcome(path)).toBe('model of 4 nodes');
  });

  test('of another ending, holding ONNX all the same', async () => {
    expect(await outcome(join(folder({ blob: await encode(tinyMlp()) }), 'blob'))).toBe('model of 4 nodes');
    expect(await outcome(join(folder({ blob: Uint8Array.of(8, 255, 1) }), 'blob'))).toMatch(
      /^unsupported: blob does not look like an ONNX model, the only kind this build opens\. Read as one: blob is written in/,
    );
  });

  test('that is a link to itself', async () => {
    const path = join(root, 'loop.onnx');
    symlinkSync('loop.onnx', path);
    expect(await outcome(path)).toMatch(/^bad-model: .* is a link that leads to itself\.$/);
  });

  test.skipIf(process.platform === 'win32')('that is a device', async () => {
    expect(await outcome('/dev/null')).toBe('bad-model: null is not a file.');
  });
});

describe('foreign files are named', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  test.each<[string, Buffer, RegExp]>([
    [
      'git lfs',
      bytes('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'),
      /bad-model: .* Git LFS pointer/,
    ],
    ['gzip', bytes('\x1f\x8b\x08\x00'), /bad-model: .* compressed with gzip/],
    ['zip', bytes('PK\x03\x04\x14\x00'), /bad-model: .* a zip archive/],
    [
      'pytorch',
      bytes('PK\x03\x04\x00\x00\x08\x08archive/data.pkl'),
      /unsupported: .* PyTorch checkpoint: a Python pickle, which is a program.*; this build opens ONNX models only\./,
    ],
    ['pickle', bytes('\x80\x04\x95\x10\x00'), /unsupported: .* Python pickle/],
    ['old pickle', bytes('\x80\x02}q\x00('), /unsupported: .* Python pickle/],
    ['keras', bytes('\x89HDF\r\n\x1a\n'), /unsupported: .* HDF5/],
    ['tflite', bytes('\x1c\x00\x00\x00TFL3'), /unsupported: .* TensorFlow Lite/],
    ['ort', bytes('\x1c\x00\x00\x00ORTM'), /unsupported: .* own format/],
    ['gguf', bytes('GGUF\x03\x00\x00\x00'), /unsupported: .* GGUF/],
    ['safetensors', bytes('\x02\x00\x00\x00\x00\x00\x00\x00{}'), /unsupported: .* safetensors/],
    ['png', bytes('\x89PNG\r\n\x1a\n'), /bad-model: .* PNG picture/],
    ['html', bytes('<!DOCTYPE html><html>'), /bad-model: .* web page/],
    ['json', bytes('{"a": 1}'), /unsupported: .* JSON/],
    ['text', bytes('hello\n'), /bad-model: .* plain text/],
    ['empty', bytes(''), /bad-model: .* empty/],
    ['7z', bytes('7z\xbc\xaf\x27\x1c'), /bad-model: .* 7z archive/],
  ])('%s', async (name, content, expected) => {
    const path = join(root, `${name}.onnx`);
    writeFileSync(path, content);
    expect(await outcome(path)).toMatch(expected);
  });
});

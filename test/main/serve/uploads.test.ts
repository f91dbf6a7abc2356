// Uploads over HTTP: whole, in pieces, broken off and resumed, cancelled, too large, and with hostile names.
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { safePath } from '../../../src/main/serve/uploads/names';
import { Uploads } from '../../../src/main/serve/uploads/session';
import { type StandIn, startStandIn } from './stand-in';

let served: StandIn;
beforeAll(async () => {
  served = await startStandIn();
});
afterAll(() => served.close());

const own = (more: Record<string, string> = {}) => ({ cookie: served.cookie, ...more });
const announce = (name: string, files: { path: string; bytes: number }[]) =>
  served.ask('/upload', { method: 'POST', headers: own(), body: JSON.stringify({ name, files }) });
const begin = async (name: string, files: { path: string; bytes: number }[]) => {
  const { status, text } = await announce(name, files);
  expect(status).toBe(201);
  return JSON.parse(text).id as string;
};
const send = (id: string, index: number, offset: number, body: Buffer) =>
  served.ask(`/upload/${id}/${index}`, { method: 'PATCH', headers: own({ 'upload-offset': String(offset) }), body });
const complete = (id: string) => served.ask(`/upload/${id}/complete`, { method: 'POST', headers: own() });
const errorOf = ({ text }: { text: string }) => JSON.parse(text).error;

describe('an upload', () => {
  it('of one file keeps its name and bytes', async () => {
    const bytes = randomBytes(100_000);
    const id = await begin('model.onnx', [{ path: 'model.onnx', bytes: bytes.length }]);
    const sent = await send(id, 0, 0, bytes);
    expect([sent.status, sent.headers['upload-offset']]).toEqual([204, '100000']);
    const done = await complete(id);
    expect(done.status).toBe(200);
    const { path } = JSON.parse(done.text);
    expect(path).toMatch(/model\.onnx$/);
    expect(await readFile(path)).toEqual(bytes);
    expect(await readdir(served.uploadsFolder)).toEqual([]);
  });

  it('of a model with its external data keeps their places to each other', async () => {
    const id = await begin('net', [
      { path: 'net/model.onnx', bytes: 3 },
      { path: 'net/weights/data.bin', bytes: 4 },
    ]);
    await send(id, 1, 0, Buffer.from('data'));
    await send(id, 0, 0, Buffer.from('abc'));
    const { path } = JSON.parse((await complete(id)).text);
    expect(path).toMatch(/-net$/);
    expect(await readFile(join(path, 'weights/data.bin'), 'utf8')).toBe('data');
    expect(await readFile(join(path, 'model.onnx'), 'utf8')).toBe('abc');
  });

  it('goes on where it was broken off', async () => {
    const bytes = randomBytes(3_000_000);
    const id = await begin('m.onnx', [{ path: 'm.onnx', bytes: bytes.length }]);
    await new Promise<void>((done) => {
      const broken = httpRequest({
        host: '127.0.0.1',
        port: served.server.port,
        path: `/upload/${id}/0`,
        method: 'PATCH',
        headers: { ...own(), 'upload-offset': '0', 'content-length': String(bytes.length) },
      });
      broken.on('error', () => done());
      broken.write(bytes.subarray(0, 1_000_000), () => setTimeout(() => broken.destroy(), 50));
    });
    let offset = 0;
    await expect
      .poll(async () => {
        const { headers } = await served.ask(`/upload/${id}/0`, { method: 'HEAD', headers: own() });
        expect(headers['upload-length']).toBe('3000000');
        offset = Number(headers['upload-offset']);
        return (await send(id, 0, offset, bytes.subarray(offset))).status;
      })
      .toBe(204);
    expect(offset).toBeGreaterThan(0);
    const { path } = JSON.parse((await complete(id)).text);
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it('tells where to go on instead of writing elsewhere', async () => {
    const id = await begin('m.onnx', [{ path: 'm.onnx', bytes: 10 }]);
    await send(id, 0, 0, Buffer.from('01234'));
    for (const offset of [0, 4, 6, 10]) {
      const wrong = await send(id, 0, offset, Buffer.alloc(0));
      expect([wrong.status, wrong.headers['upload-offset']]).toEqual([409, '5']);
    }
    const early = await complete(id);
    expect([early.status, errorOf(early).sentence]).toEqual([400, 'm.onnx has 5 of 10 bytes.']);
    await send(id, 0, 5, Buffer.from('56789'));
    expect((await complete(id)).status).toBe(200);
  });

  it('refuses more bytes than announced, by head or by body', async () => {
    const id = await begin('m.onnx', [{ path: 'm.onnx', bytes: 4 }]);
    for (const bytes of [5, 30_000_000]) expect((await send(id, 0, 0, Buffer.alloc(bytes))).status).toBe(400);
    const withoutLength = await served.ask(`/upload/${id}/0`, {
      method: 'PATCH',
      headers: own({ 'upload-offset': '0', 'transfer-encoding': 'chunked' }),
    });
    expect(withoutLength.status).toBe(400);
    const state = await served.ask(`/upload/${id}`, { headers: own() });
    expect(JSON.parse(state.text).files).toEqual([{ path: 'm.onnx', bytes: 4, offset: 0 }]);
  });

  it('leaves nothing when it is cancelled, also in the middle of a piece', async () => {
    const id = await begin('m.onnx', [{ path: 'm.onnx', bytes: 1_000_000 }]);
    const ended = new Promise<void>((done) => {
      const slow = httpRequest({
        host: '127.0.0.1',
        port: served.server.port,
        path: `/upload/${id}/0`,
        method: 'PATCH',
        headers: { ...own(), 'upload-offset': '0', 'content-length': '1000000' },
      });
      slow.on('error', () => done());
      slow.on('response', () => done());
      slow.write(Buffer.alloc(1000));
    });
    await new Promise((done) => setTimeout(done, 50));
    expect((await served.ask(`/upload/${id}`, { method: 'DELETE', headers: own() })).status).toBe(204);
    await ended;
    expect((await served.ask(`/upload/${id}`, { headers: own() })).status).toBe(404);
    expect((await complete(id)).status).toBe(404);
    expect((await readdir(served.uploadsFolder)).filter((name) => name.includes(id))).toEqual([]);
  });

  it('refuses hostile names before anything is written', async () => {
    const before = await readdir(served.uploadsFolder);
    const hostile = [
      '../x',
      '/etc/x',
      'a/../../x',
      'a//b',
      '.',
      '..',
      'a\\..\\x',
      'a/'.repeat(20),
      `${'n'.repeat(201)}`,
    ];
    for (const path of hostile) expect((await announce('x', [{ path, bytes: 1 }])).status, path).toBe(400);
    const twins = [
      { path: 'A.onnx', bytes: 1 },
      { path: 'a.onnx', bytes: 1 },
    ];
    expect((await announce('x', twins)).status).toBe(400);
    const both = [
      { path: 'a', bytes: 1 },
      { path: 'a/b', bytes: 1 },
    ];
    expect((await announce('x', both)).status).toBe(400);
    expect(await readdir(served.uploadsFolder)).toEqual(before);
  });

  it('refuses what is no announcement', async () => {
    const post = (body: string) => served.ask('/upload', { method: 'POST', headers: own(), body });
    for (const body of [
      '',
      '{',
      '[]',
      '{"name":"x"}',
      '{"name":"x","files":[]}',
      '{"name":"x","files":[{"path":"a","bytes":-1}]}',
    ])
      expect((await post(body)).status, body).toBe(400);
    expect((await post(`{"name":"${'x'.repeat(2 << 20)}"}`)).status).toBe(400);
    expect((await served.ask('/upload/../../etc', { method: 'DELETE', headers: own() })).status).toBe(405);
    for (const path of [`/upload/${'0'.repeat(32)}`, '/upload/nonsense', `/upload/${'0'.repeat(32)}/0/0`])
      expect((await served.ask(path, { headers: own() })).status).toBe(404);
  });
});

describe('the disk', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'lathe-uploads-'));

  it('is asked before anything is written', async () => {
    const uploads = new Uploads(folder(), async () => 300e6);
    const start = uploads.start({ name: 'm', files: [{ path: 'm', bytes: 100e6 }] });
    await expect(start).rejects.toMatchObject({ refusal: { code: 'disk-full' } });
  });

  it('is asked again for every piece', async () => {
    let free = 1e9;
    const uploads = new Uploads(folder(), async () => free);
    const { id } = await uploads.start({ name: 'm', files: [{ path: 'm', bytes: 100e6 }] });
    free = 260e6;
    const piece = uploads.append(id, 0, 0, 100e6, Readable.from([Buffer.alloc(10)]));
    await expect(piece).rejects.toMatchObject({ refusal: { code: 'disk-full' } });
  });

  it('takes one writer a file', async () => {
    const uploads = new Uploads(folder());
    const { id } = await uploads.start({ name: 'm', files: [{ path: 'm', bytes: 10 }] });
    const body = new Readable({ read() {} });
    const first = uploads.append(id, 0, 0, 10, body);
    await new Promise((done) => setTimeout(done, 30));
    const second = uploads.append(id, 0, 0, 10, Readable.from([Buffer.alloc(10)]));
    await expect(second).rejects.toMatchObject({ refusal: { code: 'busy' } });
    await expect(uploads.complete(id, async (path) => path)).rejects.toMatchObject({ refusal: { code: 'usage' } });
    body.push(Buffer.alloc(10));
    body.push(null);
    expect(await first).toBe(10);
  });

  it('is swept of what nobody went on with for a day, and of nothing else', async () => {
    const root = folder();
    const uploads = new Uploads(root);
    const old = await uploads.start({ name: 'old', files: [{ path: 'm', bytes: 10 }] });
    const fresh = await uploads.start({ name: 'fresh', files: [{ path: 'm', bytes: 10 }] });
    const yesterday = (Date.now() - 25 * 3600_000) / 1000;
    await utimes(join(root, old.id, 'session.json'), yesterday, yesterday);
    await utimes(join(root, old.id, 'files/m'), yesterday, yesterday);
    await uploads.sweep();
    expect(await readdir(root)).toEqual([fresh.id]);
  });
});

it('makes names sayable on every system and keeps those that are', () => {
  expect(safePath('model.onnx')).toBe('model.onnx');
  expect(safePath('Modèle (1)/données.bin')).toBe('Modèle (1)/données.bin');
  expect(safePath('a:b?.onnx')).toBe('a_b_.onnx');
  expect(safePath('con.onnx')).toBe('_con.onnx');
  expect(safePath('trailing. ')).toBe('trailing_');
  expect(safePath('a\u0000b')).toBe('a_b');
});

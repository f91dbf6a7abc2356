// Real engines: one that the runtime aborts, one whose host is killed in the middle of a run, and two hosts on one workspace.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encode } from '../../../src/engine/formats/onnx';
import { int64Tensor } from '../../../src/engine/graph/tensor';
import { childForker, openHost } from '../../../src/main/host';
import { readCases } from '../../conformance/cases';
import { hasTestData, testData } from '../../data';
import { graph, model, node, tinyMlp, value } from '../../engine/models';
import { lathe, root } from '../../lathe';
import { temporaryFolder, until } from '../workspace';
import { enginesOf, lives } from './processes';

async function openRealHost(workspace: string) {
  const host = await openHost({
    kind: 'served',
    workspace,
    forkEngine: childForker(resolve(root, 'out/main/engine.js')),
  });
  onTestFinished(() => host.close());
  return { host, client: createRouterClient(host.router, { context: host.context }) };
}
type Client = Awaited<ReturnType<typeof openRealHost>>['client'];

const ended = (client: Client, id: string) =>
  until(async () => {
    const row = await client.runs.get({ id });
    return row.state === 'queued' || row.state === 'running' ? null : row;
  }, 60_000);

/** `[rows, columns]` float32 zeros as an npy file, and a dataset that reads it without labels. */
function writeRows(folder: string, rows: number, columns: number): string {
  const head = `${`{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`.padEnd(117)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, head.length, 0]);
  writeFileSync(join(folder, 'x.npy'), Buffer.concat([start, Buffer.from(head), Buffer.alloc(rows * columns * 4)]));
  const spec = { lathe: 1, task: 'none', splits: { test: { inputs: 'x.npy' } } };
  writeFileSync(join(folder, 'dataset.json'), JSON.stringify(spec));
  return join(folder, 'dataset.json');
}

/** Evaluates a model on rows of zeros; `meanwhile` may interfere. Then shows that the host does its work as before. */
async function evaluateAndGoOn(bytes: Uint8Array, columns: number, meanwhile = async () => {}) {
  const folder = await temporaryFolder();
  const { client } = await openRealHost(join(folder, 'workspace'));
  writeFileSync(join(folder, 'odd.onnx'), bytes);
  const odd = await client.models.open({ path: join(folder, 'odd.onnx') });
  const data = await client.datasets.open({ path: writeRows(folder, 3, columns) });
  const { id } = await client.runs.evaluate({ modelId: odd.id, datasetId: data.id });
  await meanwhile();
  const row = await ended(client, id);
  expect(row.state).toBe('failed');
  expect(row.error!.sentence).not.toMatch(/\n|\.(js|ts):\d+/);
  writeFileSync(join(folder, 'good.onnx'), await encode(tinyMlp()));
  const good = await client.models.open({ path: join(folder, 'good.onnx') });
  const run = await client.runs.start({ modelId: good.id, recipe: { lathe: 1, steps: [{ method: 'float16' }] } });
  expect((await ended(client, run.id)).state).toBe('done');
  return row.error!;
}

describe('a model that would abort the runtime', () => {
  it.skipIf(!hasTestData)('ends in a sentence, and the host goes on', async () => {
    const cases = readCases(testData('conformance/onnx-backend-tests.tar.gz'));
    for (const name of ['node/test_cast_FLOAT_to_UINT4', 'node/test_cast_FLOAT16_to_UINT4']) {
      const error = await evaluateAndGoOn(cases.find((one) => one.name === name)!.model, 5);
      console.log(`${name}: ${error.code}: ${error.sentence}`);
    }
  });
});

describe.skipIf(process.platform !== 'linux')('an engine that aborts in the middle of a run', () => {
  it('is named with what it was doing, and the host goes on', async () => {
    const error = await evaluateAndGoOn(await encode(endless()), 4, async () => {
      const engine = await until(() => enginesOf(process.pid).find((pid) => cpuSeconds(pid) > 1), 30_000);
      process.kill(engine, 'SIGABRT');
    });
    console.log(`${error.code}: ${error.sentence}`);
    expect(error).toMatchObject({
      code: 'engine-died',
      sentence: expect.stringMatching(
        /^The engine stopped .* The runtime aborted\. Your model, history and other runs are untouched\.$/,
      ),
    });
  });
});

describe.skipIf(process.platform !== 'linux')('an engine whose host is killed', () => {
  it('ends within 2 s, even in the middle of a run of the runtime', async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'model.onnx'), await encode(endless()));
    const data = writeRows(folder, 4, 4);
    let pid = 0;
    const command = ['evaluate', join(folder, 'model.onnx'), '--data', data, '--json'];
    const outcome = lathe(command, { workspace: join(folder, 'workspace'), started: (child) => (pid = child.pid!) });
    const engines = await until(() => (enginesOf(pid).length > 0 ? enginesOf(pid) : null));
    // The run of the endless loop has begun when its process has computed for a while.
    await until(() => enginesOf(pid).some((engine) => cpuSeconds(engine) > 1), 30_000);
    const all = new Set([...engines, ...enginesOf(pid)]);
    process.kill(pid, 'SIGKILL');
    const begin = performance.now();
    await until(() => [...all].every((engine) => !lives(engine)));
    const seconds = (performance.now() - begin) / 1000;
    console.log(`engines gone ${seconds.toFixed(2)} s after their host`);
    expect(seconds).toBeLessThan(2);
    await outcome;
  });
});

describe.skipIf(!hasTestData)('two hosts on one workspace', () => {
  it('take turns with real engines, and remember one history', async () => {
    const workspace = join(await temporaryFolder(), 'workspace');
    const [first, second] = [await openRealHost(workspace), await openRealHost(workspace)];
    const recipe = { lathe: 1, steps: [{ method: 'weight-only', params: { bits: 8 } }] };
    const model = await first.client.models.open({ path: testData('models/mnist-8') });
    const started = await Promise.all(
      [first, second, first, second].map(({ client }) => client.runs.start({ modelId: model.id, recipe })),
    );
    const rows = await Promise.all(started.map(({ id }, index) => ended((index % 2 ? first : second).client, id)));
    expect(rows.map((row) => row.state)).toEqual(['done', 'done', 'done', 'done']);
    expect(new Set(rows.map((row) => row.document!.artifact.sha256)).size).toBe(1);
    const spans = rows.map((row) => [row.startedAt!, row.finishedAt!] as const).sort();
    for (let index = 1; index < spans.length; index++) expect(spans[index]![0] >= spans[index - 1]![1]).toBe(true);
    expect((await second.client.runs.list({})).map((row) => row.number)).toEqual([4, 3, 2, 1]);
  });
});

describe('the sample', () => {
  it('opens, is measured and inspected, and the host has loaded no runtime for it', async () => {
    const { client } = await openRealHost(join(await temporaryFolder(), 'workspace'));
    const { model: sample, dataset } = await client.models.openSample();
    expect([sample.origin, dataset.origin]).toEqual(['sample', 'sample']);
    const { id } = await client.runs.evaluate({ modelId: sample.id, datasetId: dataset.id });
    expect((await ended(client, id)).state).toBe('done');
    expect((await client.runs.evaluation({ id })).quality.value).toBeGreaterThanOrEqual(0.9);
    const { layers } = await client.models.document({ id: sample.id, stats: true });
    expect(layers.every((layer) => layer.stats)).toBe(true);
    if (process.platform === 'linux') expect(readFileSync('/proc/self/maps', 'utf8')).not.toContain('onnxruntime');
  });
});

/** Doubles its input 10^12 times. */
function endless() {
  const body = graph({
    name: 'body',
    nodes: [node('Identity', ['go'], ['goes']), node('Add', ['x', 'x'], ['y'])],
    inputs: [value('i', 'int64', []), value('go', 'bool', []), value('x', 'float32', ['n', 4])],
    outputs: [value('goes', 'bool', []), value('y', 'float32', ['n', 4])],
  });
  return model({
    nodes: [node('Loop', ['times', '', 'input'], ['output'], { body })],
    initializers: [int64Tensor('times', [], [1e12])],
    inputs: [value('input', 'float32', ['n', 4])],
    outputs: [value('output', 'float32', ['n', 4])],
  });
}

/** Fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

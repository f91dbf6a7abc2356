// The other nouns over the router: what they answer, how they refuse, and that nothing of ours leaks to the client.
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InspectEvent } from '../../../src/contract/words/model';
import { refuse } from '../../../src/contract/words/refusal';
import { fakeEngine } from '../jobs/fake-engine';
import { halfRecipe, openTestHost, someModel, temporaryFolder, until } from '../workspace';

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const names = (events: InspectEvent[]) => events.map((event) => (event.kind === 'layer' ? event.name : 'done'));

describe('inspecting', () => {
  it('streams every layer, and the second time asks no engine', async () => {
    const { client, engine, workspace } = await openTestHost();
    const { id } = await client.models.open({ path: await someModel(workspace) });
    expect(names(await collect(await client.models.inspect({ id })))).toEqual(['conv', 'fc', 'done']);
    const asked = engine.asked.length;
    const again = await collect(await client.models.inspect({ id }));
    expect(again.at(1)).toMatchObject({ kind: 'layer', done: 2, total: 2 });
    expect(engine.asked.length).toBe(asked);
  });

  it('ends the sweep when nobody listens any more', async () => {
    let aborted = false;
    const engine = fakeEngine({
      statistics: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('aborted'));
          });
        }),
    });
    const { client, workspace } = await openTestHost({ engine });
    const { id } = await client.models.open({ path: await someModel(workspace) });
    const events = await client.models.inspect({ id });
    const pending = events.next();
    await until(() => engine.asked.includes('statistics'));
    await events.return?.();
    await until(() => aborted);
    expect((await pending).done).toBe(true);
  });

  it('as a document has the hash, and statistics where they were asked for', async () => {
    const { client, workspace } = await openTestHost();
    const { id } = await client.models.open({ path: await someModel(workspace) });
    const bare = await client.models.document({ id, stats: false });
    expect(bare.model.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(bare.layers.map((layer) => layer.stats)).toEqual([undefined, undefined]);
    const full = await client.models.document({ id, stats: true });
    expect(full.layers.every((layer) => layer.stats?.histogram?.counts.length === 256)).toBe(true);
  });
});

describe('cards', () => {
  it('come from the engine once; the next host needs no engine', async () => {
    const first = await openTestHost();
    expect((await first.client.methods.list()).map((card) => card.id)).toEqual(['float16', 'int8-static']);
    const second = await openTestHost({ workspace: first.workspace });
    expect(await second.client.methods.list()).toHaveLength(2);
    expect(second.engine.started).toEqual([]);
  });
});

describe('the newest preview', () => {
  it('wins, and a sweep of statistics goes on after it', async () => {
    const order: string[] = [];
    const standard = fakeEngine().tasks;
    const engine = fakeEngine({
      preview: async ({ params }, { signal }) => {
        order.push(`preview ${params.bits}`);
        await new Promise((resolve) => setTimeout(resolve, 60));
        if (signal.aborted) refuse('cancelled', 'too late');
        return previewOf(Number(params.bits));
      },
      statistics: (ask, work) => {
        order.push(`sweep without ${ask.skip?.join() || 'nothing'}`);
        return standard.statistics!(ask, work);
      },
    });
    const { client, workspace } = await openTestHost({ engine });
    const { id } = await client.models.open({ path: await someModel(workspace) });
    const sweep = client.models.inspect({ id }).then(collect);
    await until(() => order.length === 1);
    const ask = (bits: number) =>
      client.recipes.preview({ modelId: id, layer: 'fc', method: 'float16', params: { bits } });
    const [old, young] = await Promise.allSettled([ask(4), ask(8)]);
    expect(old).toMatchObject({ status: 'rejected', reason: { code: 'REFUSED', data: { code: 'cancelled' } } });
    expect(young).toMatchObject({ status: 'fulfilled', value: { bits: 8 } });
    expect(names((await sweep) as InspectEvent[])).toEqual(['conv', 'fc', 'done']);
    expect(order[0]).toBe('sweep without nothing');
    expect(order.slice(1, 3)).toEqual(['preview 4', 'preview 8']);
    expect(order[3]).toMatch(/^sweep without/);
  });

  it('of a layer that is not there is refused', async () => {
    const { client, workspace } = await openTestHost();
    const { id } = await client.models.open({ path: await someModel(workspace) });
    await expect(
      client.recipes.preview({ modelId: id, layer: 'nope', method: 'float16', params: {} }),
    ).rejects.toMatchObject({ data: { code: 'not-found', sentence: 'net has no layer nope.' } });
  });
});

function previewOf(bits: number) {
  const histogram = { min: 0, max: 1, counts: [1] };
  return {
    layer: 'fc',
    method: 'float16',
    sqnrDb: 1,
    bytesBefore: 8,
    bytesAfter: 4,
    bits,
    before: histogram,
    after: histogram,
    levels: null,
    levelsOf: 'tensor' as const,
    scaled: null,
    clipped: 0,
    sample: null,
    estimate: false,
    notes: [],
    milliseconds: 1,
  };
}

describe('what goes wrong', () => {
  it('inside the engine crosses as one sentence', async () => {
    const engine = fakeEngine({
      open: async () => {
        throw new Error('no such thing\n    at secret (/home/me/lathe.ts:1:1)');
      },
    });
    const { client, workspace } = await openTestHost({ engine });
    const error = await client.models.open({ path: await someModel(workspace) }).catch((caught) => caught);
    expect(error).toMatchObject({
      code: 'REFUSED',
      defined: true,
      data: { code: 'failed', sentence: 'models.open failed: no such thing' },
    });
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('kills the desk at most; the next question starts another', async () => {
    let deaths = 0;
    const standard = fakeEngine().tasks;
    const engine = fakeEngine({
      open: (ask, work) => (deaths++ === 0 ? work.die({ code: 134, signal: null }) : standard.open!(ask, work)),
    });
    const { client, workspace } = await openTestHost({ engine });
    const path = await someModel(workspace);
    await expect(client.models.open({ path })).rejects.toMatchObject({
      data: {
        code: 'engine-died',
        sentence:
          'The engine stopped while opening the model. The runtime aborted. Your model, history and other runs are untouched.',
      },
    });
    expect((await client.models.open({ path })).name).toBe('net');
    expect(engine.started).toEqual(['desk', 'desk']);
  });

  it('in the input names the place', async () => {
    const { client } = await openTestHost();
    await expect(client.runs.list({ limit: -1 })).rejects.toMatchObject({
      data: { code: 'usage', sentence: expect.stringMatching(/^limit: /) },
    });
  });

  it('because the disk is full is a refusal of that kind', async () => {
    const engine = fakeEngine({
      run: async () => {
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      },
      verify: async () => refuse('disk-full', 'The disk is full.'),
    });
    const { client } = await openTestHost({ engine });
    await expect(client.bundles.verify({ path: '/x' })).rejects.toMatchObject({ data: { code: 'disk-full' } });
  });
});

describe('a bundle', () => {
  it('carries the evidence of its run, waits for the bench, and is refused where something stands', async () => {
    let evidence: Record<string, unknown> = {};
    const engine = fakeEngine({
      bundle: async (ask) => {
        evidence = ask.evidence;
        return { bundle: { path: ask.out, files: [] } };
      },
      bundleParts: async () => ({ parts: [{ name: 'model.onnx', bytes: 1 }], bytes: 1 }),
    });
    const { client, workspace } = await openTestHost({ engine });
    const model = await client.models.open({ path: await someModel(workspace) });
    const dataset = await client.datasets.open({ path: await someModel(workspace, 'data.bin') });
    const { id } = await client.runs.start({ modelId: model.id, recipe: halfRecipe, datasetId: dataset.id });
    await until(async () => (await client.runs.get({ id })).state === 'done');
    const out = join(workspace, 'bundle');
    expect(await client.bundles.export({ modelId: id, deviceId: 'pi', out })).toEqual({
      bundle: { path: out, files: [] },
    });
    expect(evidence).toMatchObject({
      quality: { before: { value: 0.9 }, after: { value: 0.8 } },
      run: { id, number: 1 },
    });
    await mkdir(out);
    await expect(client.bundles.export({ modelId: id, deviceId: 'pi', out })).rejects.toMatchObject({
      data: { code: 'exists' },
    });
    const parts = await client.bundles.parts({ modelId: id, deviceId: 'pi' });
    expect(parts.suggestedPath).toMatch(/lathe-bundles\/net-half-pi$/);
    expect(engine.running).toEqual(new Set(['desk']));
  });

  it('that is given up ends its engine', async () => {
    const engine = fakeEngine({ bundle: () => new Promise(() => {}) });
    const { client, workspace } = await openTestHost({ engine });
    const model = await client.models.open({ path: await someModel(workspace) });
    const abort = new AbortController();
    const given = client.bundles.export(
      { modelId: model.id, deviceId: 'pi', out: join(workspace, 'b') },
      { signal: abort.signal },
    );
    await until(() => engine.running.has('bench'));
    abort.abort();
    await expect(given).rejects.toMatchObject({ data: { code: 'cancelled' } });
    expect(engine.running.has('bench')).toBe(false);
  });
});

describe('two hosts on one workspace', () => {
  it('take turns at the bench, see each other’s runs, and can cancel them', async () => {
    const engine = fakeEngine({ run: () => new Promise(() => {}) });
    const first = await openTestHost({ engine });
    const second = await openTestHost({ workspace: first.workspace });
    const model = await first.client.models.open({ path: await someModel(first.workspace) });
    const events = await second.client.runs.watch();
    const { id } = await first.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    await until(() => engine.running.has('bench'));
    const { id: waiting } = await second.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await first.client.runs.get({ id: waiting })).state).toBe('queued');
    expect((await second.client.runs.get({ id })).owner).toMatchObject({ here: false });
    await second.client.runs.cancel({ id });
    await until(async () => (await second.client.runs.get({ id: waiting })).state === 'done');
    expect((await second.client.runs.get({ id })).state).toBe('cancelled');
    const seen = new Set<string>();
    for await (const event of events) {
      if (event.kind === 'row') seen.add(`${event.row.id} ${event.row.state}`);
      if (seen.has(`${waiting} done`)) break;
    }
    expect(seen).toContain(`${id} cancelled`);
  });

  it('closing cancels what is its own, and nothing else', async () => {
    const engine = fakeEngine({ run: () => new Promise(() => {}) });
    const first = await openTestHost({ engine });
    const second = await openTestHost({ workspace: first.workspace });
    const model = await first.client.models.open({ path: await someModel(first.workspace) });
    const { id } = await first.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    const { id: other } = await second.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    await until(() => engine.running.has('bench'));
    await first.host.close();
    expect(engine.running.size).toBe(0);
    await until(async () => (await second.client.runs.get({ id: other })).state === 'done');
    expect((await second.client.runs.get({ id })).state).toBe('cancelled');
  });
});

describe('the host', () => {
  it('says what it is, and has no dialogs where there are none', async () => {
    const { client, workspace } = await openTestHost();
    expect(await client.host.info()).toMatchObject({
      kind: 'cli',
      workspace,
      dialogs: false,
      version: expect.any(String),
    });
    await expect(client.host.pick({ what: 'model' })).rejects.toMatchObject({ data: { code: 'unsupported' } });
    const native = await openTestHost({ dialogs: { pick: async () => '/a/model.onnx' } });
    expect(await native.client.host.pick({ what: 'model' })).toEqual({ path: '/a/model.onnx' });
  });

  it('lists folders first, hides dot files, and marks what opens', async () => {
    const { client } = await openTestHost();
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'nets'));
    for (const name of ['a.txt', 'b.onnx', '.hidden']) writeFileSync(join(folder, name), 'x');
    writeFileSync(join(folder, 'nets', 'c.onnx'), 'x');
    const { entries, parent } = await client.host.browse({ path: folder });
    expect(entries.map(({ name, fits }) => `${name} ${fits}`)).toEqual(['nets true', 'a.txt false', 'b.onnx true']);
    expect(folder.startsWith(parent!)).toBe(true);
    await expect(client.host.browse({ path: join(folder, 'nope') })).rejects.toMatchObject({
      data: { code: 'not-found' },
    });
  });

  it('keeps settings', async () => {
    const { client } = await openTestHost();
    await client.host.setSetting({ key: 'scheme', value: 'dark' });
    expect(await client.host.settings()).toEqual({ scheme: 'dark' });
  });
});

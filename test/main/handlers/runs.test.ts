// Runs over the router: from a path to a recorded artifact, and every other way a run can end.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluationOf, fakeEngine } from '../jobs/fake-engine';
import { halfRecipe, openTestHost, someModel, until } from '../workspace';

const never = () => new Promise<never>(() => {});

async function runOnce(test: Awaited<ReturnType<typeof openTestHost>>, seed = 1, datasetId?: string) {
  const model = await test.client.models.open({ path: await someModel(test.workspace, `net-${seed}.onnx`) });
  const { id } = await test.client.runs.start({
    modelId: model.id,
    recipe: halfRecipe,
    seed,
    ...(datasetId ? { datasetId } : {}),
  });
  const row = await until(async () => {
    const now = await test.client.runs.get({ id });
    return now.state === 'queued' || now.state === 'running' ? null : now;
  });
  return { model, row };
}

describe('a run', () => {
  it('ends with an artifact in the library, a document, and a model that remembers the run', async () => {
    const test = await openTestHost();
    const { row, model } = await runOnce(test);
    expect(row).toMatchObject({
      state: 'done',
      number: 1,
      kind: 'compress',
      modelId: model.id,
      error: null,
      owner: null,
    });
    expect(row.modelSha256).toMatch(/^[0-9a-f]{64}$/);
    const document = await test.client.runs.document({ id: row.id.slice(0, 6) });
    expect(document.run).toMatchObject({
      id: row.id,
      seed: 1,
      modelSha256: row.modelSha256,
      machine: { cpuFeatures: ['avx2'] },
    });
    expect(document.artifact.files.map((file) => file.path)).toEqual(['model.onnx']);
    expect(document.artifact.path).toBe(
      join(test.workspace, 'library/sha256', document.artifact.sha256.slice(0, 2), document.artifact.sha256),
    );
    expect(readFileSync(join(document.artifact.path, 'model.onnx')).toString('latin1')).toBe('sthgiew emos\u0001');
    expect(document.peakBytes).toBeGreaterThan(0);
    const artifact = await test.client.models.get({ id: row.artifactModelId! });
    expect(artifact).toMatchObject({ origin: 'artifact', runId: row.id, name: 'net-1, half', hashed: 1 });
    expect((await test.client.models.open({ path: row.id.slice(0, 7) })).id).toBe(artifact.id);
    expect(readdirSync(join(test.workspace, 'jobs'))).toEqual([]);
    expect(await test.client.runs.log({ id: row.id })).toMatchObject([{ text: 'Half of everything.' }]);
    expect(test.engine.running).toEqual(new Set(['desk']));
  });

  it('streams rows, progress and log lines while it happens', async () => {
    const test = await openTestHost();
    const events = await test.client.runs.watch();
    const { row } = await runOnce(test);
    const seen: string[] = [];
    for await (const event of events) {
      seen.push(event.kind === 'row' ? event.row.state : event.kind);
      if (event.kind === 'row' && event.row.state === 'done') break;
    }
    expect(row.state).toBe('done');
    // Rows are told once a step of work is over: a free bench may have begun by then.
    expect(['queued', 'running']).toContain(seen[0]);
    expect(seen).toContain('log');
    expect(seen.at(-1)).toBe('done');
  });

  it('queued behind another waits for it; jobs never overlap', async () => {
    let at = 0;
    let most = 0;
    const standard = fakeEngine().tasks;
    const engine = fakeEngine({
      run: async (ask, work) => {
        most = Math.max(most, ++at);
        await new Promise((resolve) => setTimeout(resolve, 50));
        at--;
        return standard.run!(ask, work);
      },
    });
    const test = await openTestHost({ engine });
    const rows = await Promise.all([1, 2, 3].map((seed) => runOnce(test, seed)));
    expect(rows.map(({ row }) => row.state)).toEqual(['done', 'done', 'done']);
    expect(most).toBe(1);
  });

  it('that is cancelled ends at once, kills its engine and leaves nothing', async () => {
    const engine = fakeEngine({ run: never });
    const test = await openTestHost({ engine });
    const model = await test.client.models.open({ path: await someModel(test.workspace) });
    const { id } = await test.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    const { id: waiting } = await test.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    await until(() => engine.running.has('bench'));
    await test.client.runs.cancel({ id: waiting });
    expect((await test.client.runs.get({ id: waiting })).state).toBe('cancelled');
    await test.client.runs.cancel({ id });
    expect(await test.client.runs.get({ id })).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(engine.running.has('bench')).toBe(false);
    expect(existsSync(join(test.workspace, 'jobs', id))).toBe(false);
  });

  it('that is stopped keeps what was gained', async () => {
    const standard = fakeEngine().tasks;
    const engine = fakeEngine({
      run: async (ask, work) => {
        work.emit({ kind: 'doing', what: 'step 1' });
        await until(() => work.stopping());
        return { ...(await standard.run!(ask, work)), stopped: true };
      },
    });
    const test = await openTestHost({ engine });
    const model = await test.client.models.open({ path: await someModel(test.workspace) });
    const { id } = await test.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    await until(() => engine.running.has('bench'));
    await test.client.runs.stop({ id });
    const row = await until(async () => {
      const now = await test.client.runs.get({ id });
      return now.state === 'done' ? now : null;
    });
    expect(row.document!.notes.join()).toContain('Stopped before the last step');
  });

  it('whose engine dies says what it was doing, and the next run works', async () => {
    let deaths = 0;
    const standard = fakeEngine().tasks;
    const engine = fakeEngine({
      run: async (ask, work) => {
        if (deaths++ > 0) return standard.run!(ask, work);
        work.emit({ kind: 'doing', what: 'layer conv_3' });
        return work.die({ code: null, signal: 'SIGABRT' });
      },
    });
    const test = await openTestHost({ engine });
    const { row } = await runOnce(test);
    expect(row).toMatchObject({
      state: 'failed',
      error: {
        code: 'engine-died',
        sentence:
          'The engine stopped at layer conv_3. The runtime aborted. Your model, history and other runs are untouched.',
      },
    });
    expect((await runOnce(test)).row.state).toBe('done');
  });

  it('that fails tells a sentence; the stack is in the log and nowhere else', async () => {
    const engine = fakeEngine({
      run: async () => {
        throw new Error('a wheel came off');
      },
    });
    const test = await openTestHost({ engine });
    const { row } = await runOnce(test);
    expect(row.error).toEqual({ code: 'failed', sentence: 'The run failed: a wheel came off' });
    expect(readFileSync(join(test.workspace, 'logs/lathe.log'), 'utf8')).toContain('fake-engine');
  });

  it('on a file that changed since it was opened is refused', async () => {
    const test = await openTestHost();
    const path = await someModel(test.workspace);
    const model = await test.client.models.open({ path });
    await test.client.models.document({ id: model.id, stats: false });
    writeFileSync(path, 'other weights!');
    const { id } = await test.client.runs.start({ modelId: model.id, recipe: halfRecipe });
    const row = await until(async () => {
      const now = await test.client.runs.get({ id });
      return now.state === 'failed' ? now : null;
    });
    expect(row.error?.code).toBe('changed');
    expect((await test.client.models.get({ id: model.id })).refusal?.code).toBe('changed');
  });
});

describe('a replay', () => {
  it('gives the same bytes and says so', async () => {
    const test = await openTestHost();
    const { row } = await runOnce(test);
    const answer = await test.client.runs.replay({ id: row.id });
    expect(answer).toMatchObject({ identical: true, expected: row.document!.artifact.sha256 });
    expect(answer.why).toBeUndefined();
    const again = await test.client.runs.get({ id: answer.runId });
    expect(again).toMatchObject({ kind: 'replay', state: 'done', artifactModelId: row.artifactModelId });
  });

  it('that gives other bytes says what differs', async () => {
    let extra = 0;
    const standard = fakeEngine().tasks;
    const engine = fakeEngine({
      run: (ask, work) => standard.run!({ ...ask, seed: extra++ }, work),
    });
    const test = await openTestHost({ engine });
    const { row } = await runOnce(test);
    const answer = await test.client.runs.replay({ id: row.id });
    expect(answer.identical).toBe(false);
    expect(answer.why).toEqual(['Nothing that is recorded differs: the difference is a fault of Lathe.']);
  });
});

describe('a baseline', () => {
  it('is measured once per model and dataset, and a later run says when', async () => {
    const given: unknown[] = [];
    const standard = fakeEngine().tasks;
    const engine = fakeEngine({
      run: (ask, work) => {
        given.push(ask.baseline ?? null);
        return standard.run!(ask, work);
      },
    });
    const test = await openTestHost({ engine });
    const dataset = await test.client.datasets.open({ path: await someModel(test.workspace, 'data.bin') });
    const first = await runOnce(test, 1, dataset.id);
    const second = await runOnce(test, 2, dataset.id);
    expect(given).toEqual([null, evaluationOf(0.9)]);
    expect(first.row).toMatchObject({ metric: 'accuracy', value: 0.8 });
    expect(second.row.document!.notes.join()).toMatch(/baseline was measured on 20/);
  });
});

describe('an evaluation', () => {
  it('is a run without steps whose answer is kept', async () => {
    const test = await openTestHost();
    const model = await test.client.models.open({ path: await someModel(test.workspace) });
    const dataset = await test.client.datasets.open({ path: await someModel(test.workspace, 'data.bin') });
    const { id } = await test.client.runs.evaluate({ modelId: model.id, datasetId: dataset.id });
    await until(async () => (await test.client.runs.get({ id })).state === 'done');
    expect((await test.client.runs.evaluation({ id })).quality.value).toBe(0.9);
    await expect(test.client.runs.document({ id })).rejects.toMatchObject({ data: { code: 'not-found' } });
  });
});

describe('history as CSV', () => {
  it('has a line for each run, quoted where it must be', async () => {
    const test = await openTestHost();
    const { row } = await runOnce(test);
    const [head, line, end] = (await test.client.runs.csv()).split('\r\n');
    expect(head).toMatch(/^number,id,kind,state,/);
    expect(line).toContain(`1,${row.id},compress,done,`);
    expect(line).toContain('"{""lathe"":1');
    expect(end).toBe('');
  });
});

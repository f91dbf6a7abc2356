// History: migrations, states, ids and owners, as a workspace meets them over the years.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type History, openHistory } from '../../../src/main/history';
import { migrate, openDatabase } from '../../../src/main/history/database';
import { newId } from '../../../src/main/history/ids';
import { migrations } from '../../../src/main/history/migrations';
import type { ModelRecord } from '../../../src/main/history/models';
import type { NewRun } from '../../../src/main/history/runs';
import { temporaryFolder, until } from '../workspace';

async function open(workspace?: string): Promise<History & { readonly workspace: string }> {
  const folder = workspace ?? (await temporaryFolder());
  const history = openHistory(folder, 'cli');
  let closed = false;
  const end = history.close;
  const close = () => {
    if (!closed) end();
    closed = true;
  };
  onTestFinished(close);
  return Object.assign(history, { workspace: folder, close });
}

function run(given: Partial<NewRun> = {}): NewRun {
  return {
    id: newId(),
    kind: 'compress',
    modelId: 'aaaaaaaaaaaa',
    model: 'net',
    recipe: { lathe: 1, steps: [{ method: 'float16', params: {} }] },
    datasetId: null,
    dataset: null,
    seed: 0,
    parentId: null,
    ask: {},
    ...given,
  };
}

function model(given: Partial<ModelRecord> = {}): ModelRecord {
  return {
    id: newId(),
    path: '/nowhere/net.onnx',
    name: 'net',
    origin: 'referenced',
    runId: null,
    openedAt: new Date().toISOString(),
    header: 'h',
    sha256: null,
    summary: {
      path: '',
      format: 'onnx',
      sha256: null,
      bytes: 1,
      parameters: 1,
      constantBytes: 0,
      inputs: [],
      outputs: [],
    },
    layers: [],
    operators: [],
    notes: [],
    files: [],
    entries: null,
    ...given,
  };
}

const sha = 'ab12'.repeat(16);

/** A process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.on('exit', resolve));
  return child.pid!;
}

describe('the file', () => {
  it('is in WAL mode, synced at every commit, and at the newest version', async () => {
    const sql = openDatabase(join(await temporaryFolder(), 'history.sqlite'));
    onTestFinished(() => void sql.close());
    expect(sql.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(sql.pragma('synchronous', { simple: true })).toBe(2);
    expect(sql.pragma('user_version', { simple: true })).toBe(migrations.length);
  });

  it('migrates step by step; a step that fails leaves the one before', () => {
    const sql = new Database(':memory:');
    expect(() => migrate(sql, ['CREATE TABLE a (x)', 'CREATE TABLE b (y); SELECT nonsense'])).toThrow(/nonsense/);
    expect(sql.pragma('user_version', { simple: true })).toBe(1);
    expect(() => sql.exec('SELECT * FROM b')).toThrow(/no such table/);
    migrate(sql, ['CREATE TABLE a (x)', 'CREATE TABLE b (y)']);
    migrate(sql, ['CREATE TABLE a (x)', 'CREATE TABLE b (y)']);
    expect(sql.pragma('user_version', { simple: true })).toBe(2);
  });

  it('of a newer Lathe is refused', () => {
    const sql = new Database(':memory:');
    sql.pragma('user_version = 99');
    expect(() => migrate(sql)).toThrow(/newer Lathe/);
  });

  it('that is damaged is refused in a sentence, and stays as it is', async () => {
    const { workspace, close } = await open();
    close();
    const file = join(workspace, 'history.sqlite');
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4096, 12_288);
    writeFileSync(file, bytes);
    await expect(open(workspace)).rejects.toThrow(/history at .* is damaged/);
    expect(readFileSync(file).equals(bytes)).toBe(true);
    writeFileSync(file, 'no database at all, but long enough to be looked at as if it were one');
    await expect(open(workspace)).rejects.toThrow(/is damaged/);
  });
});

describe('runs', () => {
  it('are numbered in the order they came, newest first', async () => {
    const history = await open();
    const runs = [run(), run(), run()];
    for (const one of runs) history.runs.insert(one);
    expect(history.runs.list().map(({ row }) => row.number)).toEqual([3, 2, 1]);
    expect(history.runs.list({ limit: 1 })[0]!.row.id).toBe(runs[2]!.id);
    expect(history.runs.get(runs[0]!.id)!.row.owner).toEqual({ pid: process.pid, here: true });
  });

  it('move only along their states', async () => {
    const history = await open();
    const { id } = run();
    history.runs.insert(run({ id }));
    const outcome = { document: null, evaluation: null, artifactModelId: null, bytes: 1, metric: null, value: null };
    expect(() => history.runs.finish(id, outcome)).toThrow(/cannot become done: it is queued/);
    history.runs.start(id, sha);
    history.runs.finish(id, outcome);
    expect(() => history.runs.end(id, 'failed', { code: 'failed', sentence: 'no' })).toThrow(/it is done/);
    expect(history.runs.get(id)!.row).toMatchObject({ state: 'done', bytes: 1, modelSha256: sha, owner: null });
  });

  it('are found by a unique beginning of 6 or more characters', async () => {
    const history = await open();
    history.runs.insert(run({ id: 'abcdefaaaaaa' }));
    history.runs.insert(run({ id: 'abcdefbbbbbb' }));
    expect(history.runs.byPrefix('abcdefa')?.row.id).toBe('abcdefaaaaaa');
    expect(history.runs.byPrefix('abcde')).toBeNull();
    expect(history.runs.byPrefix('zzzzzz')).toBeNull();
    expect(history.runs.byPrefix('abc*ef')).toBeNull();
    expect(() => history.runs.byPrefix('abcdef')).toThrow('abcdef is the beginning of 2 runs.');
  });

  it('whose host is gone become interrupted, and give their tickets back', async () => {
    const first = await open();
    first.runs.insert(run({ id: 'running2aaaa' }));
    first.runs.insert(run({ id: 'queued22aaaa' }));
    first.tickets.draw('run');
    first.runs.start('running2aaaa', sha);
    const sql = new Database(join(first.workspace, 'history.sqlite'));
    sql.prepare('UPDATE hosts SET pid = ?').run(await deadPid());
    const second = await open(first.workspace);
    for (const { row } of second.runs.list()) expect(row).toMatchObject({ state: 'interrupted', owner: null });
    expect(second.runs.get('running2aaaa')!.row.error!.sentence).toMatch(
      /Lathe ended after \d\d:\d\d, during this run/,
    );
    expect(second.tickets.first(second.tickets.draw('next'))).toBe(true);
    sql.close();
  });

  it('of a process that merely got the same number are interrupted too', async () => {
    const first = await open();
    first.runs.insert(run());
    const sql = new Database(join(first.workspace, 'history.sqlite'));
    sql.prepare("UPDATE hosts SET started = '1'").run();
    const second = await open(first.workspace);
    expect(second.runs.list()[0]!.row.state).toBe(process.platform === 'linux' ? 'interrupted' : 'queued');
    sql.close();
  });

  it('of a living host are left alone', async () => {
    const first = await open();
    first.runs.insert(run());
    const second = await open(first.workspace);
    expect(second.runs.list()[0]!.row).toMatchObject({ state: 'queued', owner: { pid: process.pid, here: false } });
  });

  it('take wishes of other hosts once; a cancel stays a cancel', async () => {
    const first = await open();
    const { id } = run();
    first.runs.insert(run({ id }));
    const second = await open(first.workspace);
    second.runs.wish(id, 'cancel');
    second.runs.wish(id, 'stop');
    expect(second.runs.takeWishes()).toEqual([]);
    expect(first.runs.takeWishes()).toEqual([{ id, wish: 'cancel' }]);
    expect(first.runs.takeWishes()).toEqual([]);
  });
});

describe('tickets', () => {
  it('come up in the order they were drawn, over all hosts', async () => {
    const first = await open();
    const second = await open(first.workspace);
    const [a, b, c] = [first.tickets.draw('a'), second.tickets.draw('b'), first.tickets.draw('c')];
    expect([first.tickets.first(a), second.tickets.first(b), first.tickets.first(c)]).toEqual([true, false, false]);
    first.tickets.giveBack(a);
    expect([second.tickets.first(b), first.tickets.first(c)]).toEqual([true, false]);
    second.close();
    expect(first.tickets.first(c)).toBe(true);
  });
});

describe('models', () => {
  it('are found by the beginning of their id, their run or their content', async () => {
    const history = await open();
    history.runs.insert(run({ id: 'runrunrunrun' }));
    history.runs.start('runrunrunrun', sha);
    history.models.insert(model({ id: 'modelmodel22', sha256: sha }));
    history.models.insert(model({ id: 'newermodel22', sha256: sha, openedAt: '2999-01-01' }));
    history.runs.finish('runrunrunrun', {
      document: null,
      evaluation: null,
      artifactModelId: 'modelmodel22',
      bytes: null,
      metric: null,
      value: null,
    });
    expect(history.models.byPrefix('modelm')?.id).toBe('modelmodel22');
    expect(history.models.byPrefix('runrun')?.id).toBe('modelmodel22');
    expect(history.models.byPrefix(sha.slice(0, 8))?.id).toBe('newermodel22');
    expect(history.models.byPrefix(sha)?.id).toBe('newermodel22');
    expect(history.models.byPrefix('modelx')).toBeNull();
  });

  it('give what was measured under their header to their content', async () => {
    const history = await open();
    const stats = { min: 0 } as never;
    history.statistics.put('header:h', new Map([['conv', stats]]));
    history.statistics.rekey('header:h', sha);
    expect(history.statistics.of('header:h').size).toBe(0);
    expect(history.statistics.of(sha).get('conv')).toEqual({ min: 0 });
  });
});

describe('changes', () => {
  it('of this host and of others are told, each once', async () => {
    const first = await open();
    const second = await open(first.workspace);
    const told: string[] = [];
    first.subscribe((change) => told.push(`${change.noun} ${'kind' in change ? change.kind : 'line'} ${change.id}`));
    first.runs.insert(run({ id: 'aaaaaaaaaaaa' }));
    second.runs.insert(run({ id: 'bbbbbbbbbbbb' }));
    second.logs.append('bbbbbbbbbbbb', [{ at: '', level: 'info', text: 'hello' }]);
    second.models.insert(model({ id: 'cccccccccccc' }));
    await until(() => told.length >= 4);
    second.models.remove('cccccccccccc');
    await until(() => told.length >= 5);
    expect(told.sort()).toEqual([
      'log line bbbbbbbbbbbb',
      'model removed cccccccccccc',
      'model row cccccccccccc',
      'run row aaaaaaaaaaaa',
      'run row bbbbbbbbbbbb',
    ]);
  });
});

describe('small things', () => {
  it('settings, describes and baselines are kept', async () => {
    const history = await open();
    history.settings.set('scheme', 'dark');
    history.settings.set('scheme', 'light');
    expect(history.settings.all()).toEqual({ scheme: 'light' });
    history.describes.put('build', { methods: [] });
    expect(history.describes.get('build')).toEqual({ methods: [] });
    expect(history.describes.get('other')).toBeNull();
    const key = { modelSha256: sha, fingerprint: 'f', limit: null, build: 'b' };
    history.baselines.put(key, { bytes: 1 } as never, 'then');
    expect(history.baselines.get(key)).toEqual({ evaluation: { bytes: 1 }, measuredAt: 'then' });
    expect(history.baselines.get({ ...key, limit: 100 })).toBeNull();
  });
});

// An engine of plain functions behind the real port: what the host does with it can be seen without a build.
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Statistics } from '../../../src/contract/words/model';
import { Refused } from '../../../src/contract/words/refusal';
import type { FromEngine, TaskEvent, TaskName, Tasks, ToEngine } from '../../../src/main/jobs/engine-process';
import type { EngineEnd, EnginePort, EngineRole, ForkEngine } from '../../../src/main/jobs/forkers';

export interface FakeWork {
  emit(event: TaskEvent): void;
  readonly stopping: () => boolean;
  readonly signal: AbortSignal;
  readonly role: EngineRole;
  /** Ends the process as the system would. */
  die(end: EngineEnd): Promise<never>;
}
type FakeTasks = {
  [Name in TaskName]?: (ask: Tasks[Name]['ask'], work: FakeWork) => Promise<Tasks[Name]['answer']>;
};

export interface FakeEngine {
  readonly fork: ForkEngine;
  readonly tasks: FakeTasks;
  /** Engines that were started, and those that still run. */
  readonly started: EngineRole[];
  readonly running: Set<EngineRole>;
  /** Names of tasks in the order they were asked. */
  readonly asked: TaskName[];
}

export function fakeEngine(tasks: FakeTasks = {}): FakeEngine {
  const fake = {
    tasks: { ...standard, ...tasks },
    started: [] as EngineRole[],
    running: new Set<EngineRole>(),
    asked: [] as TaskName[],
  };
  const fork = (role: EngineRole): EnginePort => {
    fake.started.push(role);
    fake.running.add(role);
    let tell: (message: FromEngine) => void = () => {};
    let exit: (end: EngineEnd) => void = () => {};
    let alive = true;
    const working = new Map<number, { abort: AbortController; stopping: boolean }>();
    const end = (how: EngineEnd) => {
      if (!alive) return;
      alive = false;
      fake.running.delete(role);
      for (const { abort } of working.values()) abort.abort();
      setImmediate(() => exit(how));
    };
    const run = async (id: number, name: TaskName, ask: unknown) => {
      fake.asked.push(name);
      const state = { abort: new AbortController(), stopping: false };
      working.set(id, state);
      const send = (message: FromEngine) => void (alive && setImmediate(() => tell(structuredClone(message))));
      const work: FakeWork = {
        emit: (event) => send({ kind: 'event', id, event }),
        stopping: () => state.stopping,
        signal: state.abort.signal,
        role,
        die: async (how) => {
          await sleep(5);
          end(how);
          return new Promise<never>(() => {});
        },
      };
      try {
        const task = fake.tasks[name] as ((ask: unknown, work: FakeWork) => Promise<unknown>) | undefined;
        if (!task) throw new Error(`the fake engine has no ${name}`);
        send({ kind: 'answer', id, answer: await task(ask, work) });
      } catch (error) {
        if (error instanceof Refused) send({ kind: 'refused', id, refusal: error.refusal });
        else send({ kind: 'failed', id, sentence: (error as Error).message, detail: String((error as Error).stack) });
      }
    };
    return {
      pid: undefined,
      send(message: ToEngine) {
        if (!alive) return;
        if (message.kind === 'task') void run(message.id, message.name, message.ask);
        else if (message.kind === 'abort') working.get(message.id)?.abort.abort();
        else if (message.kind === 'stop' && working.has(message.id)) working.get(message.id)!.stopping = true;
      },
      onMessage: (listener) => {
        tell = listener;
      },
      onText: () => {},
      onExit: (listener) => {
        exit = listener;
      },
      kill: () => end({ code: null, signal: 'SIGKILL' }),
    };
  };
  return Object.assign(fake, { fork: Object.assign(fork, { build: 'fake' }) });
}

export const someStatistics: Statistics = {
  min: -1,
  max: 1,
  mean: 0,
  std: 0.5,
  absMax: 1,
  kurtosis: 3,
  zeros: 0,
  nonFinite: 0,
  outliers: 0,
  histogram: { min: -1, max: 1, counts: Array(256).fill(1) },
};

const layerNames = ['conv', 'fc'];

/** A model is any file; running a recipe gives its bytes reversed under the seed. */
const standard: FakeTasks = {
  describe: async () => ({
    methods: [
      { id: 'float16', title: 'Half', family: 'quantize', help: '', needs: ['weights'], params: [], ops: [] },
      {
        id: 'int8-static',
        title: 'Int8',
        family: 'quantize',
        help: '',
        needs: ['weights', 'data'],
        params: [],
        ops: [],
      },
    ],
    devices: [],
    onnxruntime: '0.0.0',
    cpuFeatures: ['avx2'],
    physicalCores: 2,
  }),
  open: async ({ path }) => {
    const { size, mtimeMs } = await stat(path);
    const layer = { op: 'Conv', shape: [2], dtype: 'float32', parameters: 2, bytes: 8, macs: null, bits: 32 };
    return {
      summary: {
        path,
        format: 'onnx',
        sha256: null,
        bytes: size,
        parameters: 4,
        constantBytes: 0,
        inputs: [],
        outputs: [],
      },
      layers: layerNames.map((name) => ({ name, ...layer })),
      operators: [{ op: 'Conv', count: 2 }],
      notes: [],
      files: [{ path, bytes: size, mtimeMs }],
    };
  },
  openDataset: async ({ path }) => {
    const { size, mtimeMs } = await stat(path);
    return {
      summary: {
        path,
        name: 'digits',
        task: 'classification',
        kind: 'idx',
        splits: [{ name: 'test', samples: 10, labelled: true }],
        classes: 10,
        notes: [],
        spec: { lathe: 1, task: 'classification', splits: { test: { inputs: 'x' } } },
      },
      files: [{ path, bytes: size, mtimeMs }],
    };
  },
  checkRecipe: async ({ recipe }) => recipe as Tasks['checkRecipe']['answer'],
  statistics: async ({ skip }, { emit, signal }) => {
    const names = layerNames.filter((name) => !skip?.includes(name));
    for (const [index, name] of names.entries()) {
      await sleep(10);
      signal.throwIfAborted();
      emit({ kind: 'layer', name, stats: someStatistics, done: index + 1, total: names.length });
    }
    return { layers: names.length };
  },
  evaluate: async () => ({ evaluation: evaluationOf(0.9) }),
  run: async ({ path, folder, seed, dataset, baseline }, { emit }) => {
    emit({ kind: 'stages', stages: [{ stage: 'apply', seconds: 1 }] });
    emit({ kind: 'progress', stage: 'apply', text: 'Half, layer 1 of 2', done: 1, total: 2 });
    emit({ kind: 'log', level: 'info', text: 'Half of everything.' });
    const bytes = Buffer.concat([Buffer.from(await readFile(path)).reverse(), Buffer.from([seed & 255])]);
    await mkdir(join(folder, 'artifact'), { recursive: true });
    await writeFile(join(folder, 'artifact', 'model.onnx'), bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return {
      files: [{ path: 'model.onnx', sha256, bytes: bytes.byteLength }],
      layers: [],
      fused: {},
      notes: [],
      ...(dataset ? { baseline: baseline ?? evaluationOf(0.9), compressed: evaluationOf(0.8) } : {}),
      stages: [],
      stopped: false,
    };
  },
};

export function evaluationOf(value: number) {
  return {
    quality: {
      metric: 'accuracy' as const,
      value,
      n: 10,
      ci95: [value - 0.1, value + 0.1] as [number, number],
      correct: value * 10,
    },
    latencyMs: null,
    bytes: 100,
    notes: [],
  };
}

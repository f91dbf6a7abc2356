// The contract, answered from made-up data: what pages are drawn and tested against where no engine is wanted. Never shipped.
import { implement } from '@orpc/server';
import { contract } from '../../../src/contract/contract';
import type { LibraryModel } from '../../../src/contract/words/model';
import type { Preview } from '../../../src/contract/words/recipe';
import { datasets, devices, methods } from './lists';
import { artifacts, models, parent } from './models';
import { baseline, log, machine, rows } from './runs';
import { statisticsOf } from './weights';

const os = implement(contract);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const everyModel: LibraryModel[] = [...models, ...artifacts];

/** Nothing changes here: the stream stays open until the window goes. */
async function* silence(signal: AbortSignal | undefined): AsyncGenerator<never> {
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}

function bell(scale: number, low: number, high: number): { min: number; max: number; counts: number[] } {
  const counts = Array.from({ length: 256 }, (_, bin) => {
    const z = (low + ((bin + 0.5) * (high - low)) / 256) / scale;
    return Math.round(4000 * Math.exp(-(z * z) / 2));
  });
  return { min: low, max: high, counts };
}

function previewOf(layerName: string, method: string, bits: number): Preview {
  const layer = parent.layers.find((each) => each.name === layerName) ?? parent.layers[0]!;
  const edge = 2 ** (bits - 1) - 1;
  const before = bell(0.03, -0.12, 0.12);
  const scaled = bell(edge / 3.2, -edge - 0.5, edge + 0.5);
  const levels = Array.from({ length: 2 * edge + 1 }, (_, at) => {
    const value = at - edge;
    return { value, count: Math.round((4000 * 256 * Math.exp(-((value / (edge / 3.2)) ** 2) / 2)) / (2 * edge + 2)) };
  });
  return {
    layer: layer.name,
    method,
    sqnrDb: bits * 6.02 - 4.2,
    bytesBefore: layer.bytes,
    bytesAfter: Math.ceil((layer.parameters * bits) / 8) + Math.ceil(layer.parameters / 32) * 2,
    bits: bits + 0.5,
    before,
    after: before,
    levels: bits <= 4 ? levels : null,
    levelsOf: 'scale',
    scaled: bits <= 4 ? scaled : null,
    clipped: bits === 2 ? 0.011 : 0,
    sample: null,
    estimate: false,
    notes: [],
    milliseconds: 12,
  };
}

export const router = os.router({
  host: {
    info: os.host.info.handler(() => ({
      kind: 'served' as const,
      version: '0.1.0',
      workspace: '/home/ada/.lathe',
      machine,
      freeMemoryBytes: 21.4e9,
      freeDiskBytes: 184e9,
      dialogs: false,
      uploadAdvisedBelowBytes: 5e8,
    })),
    usage: os.host.usage.handler(() => ({
      engineBytes: 1.11e9,
      engineBoundBytes: 1.5e9,
      libraryBytes: 9.4e9,
      sweepableBytes: 2.1e9,
    })),
    pick: os.host.pick.handler(() => ({ path: null })),
    browse: os.host.browse.handler(({ input }) => ({
      path: input.path ?? '/home/ada/models',
      parent: '/home/ada',
      entries: [
        { name: 'llama', path: '/home/ada/models/llama', kind: 'folder' as const, bytes: 0, fits: true },
        {
          name: 'mnist-8.onnx',
          path: '/home/ada/models/mnist-8.onnx',
          kind: 'file' as const,
          bytes: 26_454,
          fits: true,
        },
        { name: 'notes.txt', path: '/home/ada/models/notes.txt', kind: 'file' as const, bytes: 812, fits: false },
      ],
    })),
    settings: os.host.settings.handler(() => ({})),
    setSetting: os.host.setSetting.handler(() => undefined),
  },
  models: {
    open: os.models.open.handler(({ input, errors }) => {
      const found = everyModel.find((model) => input.path.includes(model.name));
      if (!found)
        throw errors.REFUSED({
          data: {
            code: 'bad-model',
            sentence: `${input.path} is not a model that Lathe reads. Its first bytes are none of ONNX, GGUF or safetensors.`,
          },
        });
      return found;
    }),
    samples: os.models.samples.handler(() => ['shapes', 'tales']),
    openSample: os.models.openSample.handler(() => ({ model: parent, dataset: datasets[2]! })),
    list: os.models.list.handler(() => models),
    get: os.models.get.handler(({ input, errors }) => {
      const found = everyModel.find((model) => model.id === input.id);
      if (!found) throw errors.REFUSED({ data: { code: 'not-found', sentence: 'There is no such model.' } });
      return found;
    }),
    inspect: os.models.inspect.handler(async function* ({ input, signal }) {
      const layers = everyModel.find((model) => model.id === input.id)?.layers ?? [];
      for (const [at, layer] of layers.entries()) {
        if (signal?.aborted) return;
        await sleep(Number(process.env.STAND_IN_SWEEP_MS ?? 8));
        yield {
          kind: 'layer' as const,
          name: layer.name,
          stats: statisticsOf(layer),
          done: at + 1,
          total: layers.length,
        };
      }
      yield { kind: 'done' as const };
    }),
    document: os.models.document.handler(({ input }) => {
      const model = everyModel.find((each) => each.id === input.id) ?? parent;
      return { model: model.summary, layers: model.layers };
    }),
    watch: os.models.watch.handler(({ signal }) => silence(signal)),
    forget: os.models.forget.handler(() => ({ freedBytes: 0 })),
  },
  datasets: {
    open: os.datasets.open.handler(() => datasets[0]!),
    list: os.datasets.list.handler(() => datasets),
    forget: os.datasets.forget.handler(() => ({ freedBytes: 0 })),
  },
  methods: { list: os.methods.list.handler(() => methods) },
  recipes: {
    check: os.recipes.check.handler(({ input }) => input.recipe as never),
    forecast: os.recipes.forecast.handler(({ input }) => {
      const model = everyModel.find((each) => each.id === input.modelId) ?? parent;
      const steps =
        (input.recipe as { steps?: { params?: { bits?: number }; overrides?: Record<string, { bits?: number }> }[] })
          .steps ?? [];
      const step = steps.at(-1);
      const layers = model.layers.map((layer) => {
        const bits = step ? (step.overrides?.[layer.name]?.bits ?? step.params?.bits ?? 4) : 32;
        return {
          name: layer.name,
          methods: step ? ['weight-only'] : [],
          bitsAfter: bits,
          bytesBefore: layer.bytes,
          bytesAfter: step ? Math.ceil((layer.parameters * (bits + 0.5)) / 8) : layer.bytes,
          warnings: layer.op === 'Conv' && step ? ['Smaller, not faster here.'] : [],
        };
      });
      return {
        layers,
        bytesBefore: model.summary.bytes,
        bytesAfter: layers.reduce((sum, layer) => sum + layer.bytesAfter, 0) + 21_400,
        peakBytes: 9e8,
        diskBytes: 2e7,
        seconds: 84,
        freeDiskBytes: 184e9,
        freeMemoryBytes: 21e9,
        possible: true,
        sentences: [
          'Conv weights are stored in fewer bits and unpacked when the model loads: smaller, not faster here.',
        ],
      };
    }),
    preview: os.recipes.preview.handler(({ input }) =>
      previewOf(input.layer, input.method, Number(input.params.bits ?? 8)),
    ),
  },
  runs: {
    start: os.runs.start.handler(() => ({ id: 'run43' })),
    evaluate: os.runs.evaluate.handler(() => ({ id: 'run43' })),
    replay: os.runs.replay.handler(() => ({ identical: true, expected: '9f31', actual: '9f31', runId: 'run44' })),
    list: os.runs.list.handler(({ input }) => rows.filter((row) => !input.modelId || row.modelId === input.modelId)),
    get: os.runs.get.handler(({ input, errors }) => {
      const row = rows.find((each) => each.id === input.id);
      if (!row) throw errors.REFUSED({ data: { code: 'not-found', sentence: 'There is no such run.' } });
      return row;
    }),
    document: os.runs.document.handler(({ input, errors }) => {
      const found = rows.find((row) => row.id === input.id)?.document;
      if (!found) throw errors.REFUSED({ data: { code: 'not-found', sentence: 'This run left no document.' } });
      return found;
    }),
    evaluation: os.runs.evaluation.handler(() => baseline),
    log: os.runs.log.handler(() => log),
    curves: os.runs.curves.handler(() => []),
    watch: os.runs.watch.handler(({ signal }) => silence(signal)),
    cancel: os.runs.cancel.handler(() => undefined),
    stop: os.runs.stop.handler(() => undefined),
    checkpoint: os.runs.checkpoint.handler(({ input }) =>
      rows.some(({ id, state }) => id === input.id && state === 'interrupted')
        ? { at: '2026-11-20T10:31:00.000Z', bytes: 1_930_000_000, tensors: 118 }
        : null,
    ),
    discard: os.runs.discard.handler(() => ({ freedBytes: 1_930_000_000 })),
    resume: os.runs.resume.handler(() => ({ id: 'run43' })),
    csv: os.runs.csv.handler(() => 'id,state\n'),
  },
  devices: {
    list: os.devices.list.handler(() => devices),
    fit: os.devices.fit.handler(({ input }) => {
      const device = devices.find((each) => each.id === input.deviceId) ?? devices[0]!;
      const weights = (everyModel.find((each) => each.id === input.modelId) ?? parent).summary.bytes;
      const footprint = { weights, activations: 7.1e7, kvCache: 0, runtime: 2.06e8, total: weights + 2.77e8 };
      return {
        fits: 'yes' as const,
        footprint,
        usableBytes: device.usableBytes,
        sentence: `Fits the ${device.title}, with ${((device.usableBytes - footprint.total) / 1e9).toFixed(1)} GB to spare.`,
      };
    }),
  },
  bundles: {
    parts: os.bundles.parts.handler(() => ({
      parts: [
        { name: 'Model', bytes: 11_310_000 },
        { name: 'Golden inputs and outputs', bytes: 400_000 },
        { name: 'Evidence and recipe', bytes: 31_000 },
      ],
      bytes: 11_741_000,
      suggestedPath: '/home/ada/bundles/resnet18-pi5',
    })),
    export: os.bundles.export.handler(({ input }) => ({ bundle: { path: input.out, files: [] } })),
    verify: os.bundles.verify.handler(() => ({
      ok: true,
      checks: [{ name: 'Every file has its hash', ok: true, detail: '9 files' }],
    })),
  },
});

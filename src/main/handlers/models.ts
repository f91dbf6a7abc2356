// Models: opened, listed, watched, and inspected layer by layer.
import { setTimeout as sleep } from 'node:timers/promises';
import type { InspectEvent, Layer, LibraryModel, Statistics } from '../../contract/words/model';
import { refuse } from '../../contract/words/refusal';
import { datasetRow } from '../library/datasets';
import { samplesIn } from '../library/samples';
import { api } from './implement';
import type { Services } from './services';
import { stream } from './stream';
import { sweepStatistics } from './sweep';

/** From headers alone: a hash that is not there by then (about a gigabyte's) is left out rather than waited for. */
const hashPatienceMs = 700;

export const models = {
  open: api.models.open.handler(async ({ context, input }) =>
    context.library.models.row(await context.library.models.open(input.path)),
  ),

  samples: api.models.samples.handler(async ({ context }) => samplesIn(context.samples).map(({ name }) => name)),

  openSample: api.models.openSample.handler(async ({ context, input }) => {
    const { samples, library } = context;
    const all = samplesIn(samples);
    const sample = input ? all.find(({ name }) => name === input.name) : all[0];
    if (!sample) return refuse('not-found', 'The sample is not part of this installation.');
    const model = await library.models.open(sample.model);
    const dataset = await library.datasets.open(sample.dataset, null);
    return { model: library.models.row(model), dataset: datasetRow(dataset) };
  }),

  list: api.models.list.handler(async ({ context }) =>
    context.library.models.list().map((record) => context.library.models.row(record)),
  ),

  get: api.models.get.handler(async ({ context, input }) =>
    context.library.models.row(context.library.models.get(input.id)),
  ),

  inspect: api.models.inspect.handler(async ({ context, input }) => {
    const { id } = context.library.models.get(input.id);
    return stream<InspectEvent>((sink) => {
      const abort = new AbortController();
      sweepStatistics(context, id, abort.signal, (name, stats, done, total) =>
        sink.tell({ kind: 'layer', name, stats, done, total }),
      ).then(
        () => {
          sink.tell({ kind: 'done' });
          sink.end();
        },
        (error) => sink.end(abort.signal.aborted ? undefined : error),
      );
      return () => abort.abort();
    });
  }),

  document: api.models.document.handler(async ({ context, input, signal }) => {
    const { library } = context;
    await library.models.settled(library.models.get(input.id));
    const hashed = library.models.hashed(input.id);
    hashed.catch(() => {});
    const statistics = new Map<string, Statistics>();
    if (input.stats) {
      const keep = (name: string, stats: Statistics) => void statistics.set(name, stats);
      await sweepStatistics(context, library.models.get(input.id).id, signal ?? new AbortController().signal, keep);
      await hashed;
    } else await Promise.race([hashed, sleep(hashPatienceMs, undefined, { ref: false })]);
    const record = library.models.get(input.id);
    return {
      model: record.summary,
      layers: record.layers.map((layer): Layer => {
        const stats = statistics.get(layer.name);
        return stats ? { ...layer, stats } : layer;
      }),
    };
  }),

  watch: api.models.watch.handler(async ({ context }) => {
    const { history, library } = context;
    return stream<{ kind: 'row' | 'removed'; id: string; row?: LibraryModel | undefined }>((sink) => {
      const tell = (id: string) => {
        const record = history.models.get(id);
        if (record) sink.tell({ kind: 'row', id, row: library.models.row(record) });
      };
      const ends = [
        history.subscribe((change) => {
          if (change.noun !== 'model') return;
          if (change.kind === 'row') tell(change.id);
          else sink.tell({ kind: 'removed', id: change.id });
        }),
        library.models.onProgress(tell),
      ];
      return () => {
        for (const end of ends) end();
      };
    });
  }),

  forget: api.models.forget.handler(async ({ context, input }) => {
    const { id, name } = context.library.models.get(input.id);
    assertFree(context, id, name);
    return { freedBytes: await context.library.forgetModel(id) };
  }),
};

function assertFree({ history }: Services, id: string, name: string): void {
  if (history.runs.uses(id)) refuse('busy', `A run is reading ${name}.`, 'Cancel the run first.');
}

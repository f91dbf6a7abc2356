// The corridor behind `--dry-run` and the Recipe page: what a recipe will do to each layer and what the run will need, told before it starts.
import type { LayerPlan } from '../contract/words/recipe';
import type { LayerSite } from './graph/layers';
import { openKernels } from './kernels';
import { inputsOf, openSubject } from './open';
import { readRecipe } from './recipe';
import { refuseWithoutData } from './recipe-needs';
import type { LayerRecord } from './recipe-steps';
import { costOf, loadedPerByte, type RunCost } from './run-cost';
import type { Tasks, Work } from './tasks';

export async function forecast(ask: Tasks['forecast']['ask'], work: Work): Promise<Tasks['forecast']['answer']> {
  const recipe = readRecipe(ask.recipe);
  refuseWithoutData(recipe, ask.dataset !== undefined);
  work.emit({ kind: 'doing', what: `opening ${ask.path}` });
  const opened = await openSubject(ask.path);
  const { subject, files } = opened;
  const bytesBefore = files.reduce((sum, file) => sum + file.bytes, 0);
  const kernels = await openKernels();
  try {
    const cost = await costOf({
      subject,
      inputs: inputsOf(opened),
      recipe,
      kernels,
      folder: ask.folder,
      ...(ask.dataset ? { dataset: ask.dataset } : {}),
      hasBaseline: false,
      signal: work.signal,
    });
    const short = shortOf(cost);
    return {
      layers: planLayers(subject.sites, cost),
      bytesBefore,
      bytesAfter: cost.bytesAfter,
      peakBytes: cost.peakBytes,
      diskBytes: cost.diskBytes,
      seconds: cost.stages.reduce((sum, { seconds }) => sum + seconds, 0),
      freeDiskBytes: cost.freeDiskBytes,
      freeMemoryBytes: cost.freeMemoryBytes,
      possible: short.length === 0,
      sentences: [...short, ...sentences(cost)],
      ...(cost.suggestions.length > 0 ? { suggestions: [...cost.suggestions] } : {}),
    };
  } finally {
    await kernels.close();
  }
}

/** Why the run cannot be made here; empty when it can. */
export function shortOf(cost: RunCost): string[] {
  const { diskBytes, freeDiskBytes, peakBytes, freeMemoryBytes } = cost;
  return [
    ...(diskBytes > freeDiskBytes
      ? [`The disk has ${size(freeDiskBytes)} free and the run needs ${size(diskBytes)}.`]
      : []),
    ...(peakBytes > freeMemoryBytes
      ? [`This machine has ${size(freeMemoryBytes)} of memory free and the run needs ${size(peakBytes)}.`]
      : []),
  ];
}

/** Why the compressed model will not be loaded here. */
export function tooLargeToLoad({ bytesAfter, freeMemoryBytes }: RunCost): string {
  const needed = size(bytesAfter * loadedPerByte);
  return `The result is not loaded or evaluated here: that takes about ${needed} of memory, and ${size(freeMemoryBytes)} are free.`;
}

function sentences(cost: RunCost): string[] {
  const cut = [...cost.dry.records.values()].filter(({ methods }) => methods.length > 0).length;
  return [
    ...(cut === 0 ? ['No layer is cut: every one is refused, each with its reason.'] : []),
    ...(cost.loads ? [] : [tooLargeToLoad(cost)]),
    ...cost.sentences,
  ];
}

function planLayers(before: readonly LayerSite[], { dry }: RunCost): LayerPlan[] {
  const after = new Map(dry.subject.sites.map((site) => [site.name, site]));
  return before.map((site) => {
    const record: LayerRecord | undefined = dry.records.get(site.name);
    const then = after.get(site.name);
    return {
      name: site.name,
      methods: [...(record?.methods ?? [])],
      bitsAfter: then?.bits ?? 0,
      bytesBefore: site.bytes,
      bytesAfter: then?.bytes ?? 0,
      ...(record?.refusal ? { refusal: record.refusal } : {}),
      warnings: [...new Set([...(record?.warnings ?? []), ...(record?.notes ?? [])])],
    };
  });
}

/** Bytes in a sentence: SI prefixes, a thin no-break space. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)}\u202f${units[unit]}`;
}

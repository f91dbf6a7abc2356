// Rescales channels where a seam allows it: what flows through the seams is looked at once, then weights and gains are rewritten.
import type { Tensor } from '../../graph/graph';
import type { LayerSite } from '../../graph/layers';
import { readFloats } from '../../graph/tensor';
import type { LayerCut, Subject, Target } from '../method';
import { floatsOf } from './floats';
import { Flow, mostTokensOf } from './flow';
import type { Gathering } from './gathering';
import { rightMatrix } from './matrix';
import { Rewrite } from './rewrite';
import { type Seam, seamsOf } from './seams';
import type { Workshop } from './workshop';

/** What a channel carried over all samples. */
export interface ChannelStatistics {
  /** Mean of |x|. */
  readonly mean: Float64Array;
  /** Mean of x². */
  readonly square: Float64Array;
  /** Largest |x|. */
  readonly most: Float64Array;
}

/** s of each channel of a seam; weights are given as their layers store them. */
export type ScaleRule = (
  seam: Seam,
  statistics: ChannelStatistics,
  weights: ReadonlyMap<LayerSite, Float32Array>,
) => Float64Array;

/** Seams of which every reader is taken. What made the value is changed with them, chosen or not: its answers go nowhere else. */
export function chosenSeams(subject: Subject, chosen?: ReadonlySet<string>): Seam[] {
  return seamsOf(subject).filter(({ readers }) => readers.every(({ name }) => !chosen || chosen.has(name)));
}

export async function* rescaleChannels(
  subject: Subject,
  targets: readonly Target[],
  workshop: Workshop,
  title: string,
  rule: ScaleRule,
): AsyncGenerator<LayerCut, ReturnType<Rewrite['finish']>> {
  const rewrite = new Rewrite(subject.model);
  const seams = chosenSeams(subject, new Set(targets.map(({ site }) => site.name)));
  const samples = Math.max(1, ...targets.map(({ params }) => Number(params.samples)));
  const scales = new Map<Seam, Float64Array>();
  if (workshop.gathering && seams.length > 0) {
    const seen = await look(subject, seams, workshop.gathering, samples, title);
    for (const seam of seams) {
      const weights = new Map<LayerSite, Float32Array>();
      for (const site of seam.readers) weights.set(site, await readFloats(site.tensor));
      scales.set(seam, rule(seam, seen.get(seam)!, weights));
    }
  }
  const put = async (tensor: Tensor, change: (values: Float32Array) => void): Promise<void> => {
    const data = await workshop.make(
      tensor.dims.reduce((a, b) => a * b, 4),
      async () => {
        const values = (await readFloats(tensor)).slice();
        change(values);
        return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      },
    );
    rewrite.place(subject.model.graph, { ...tensor, data });
  };
  for (const { vectors, ...seam } of seams) {
    for (const vector of vectors)
      await put(vector, (values) => {
        const own = scales.get(seams.find(({ value }) => value === seam.value)!)!;
        for (let k = 0; k < values.length; k++) values[k] = values[k]! / own[k]!;
      });
  }
  const makers = new Set(seams.flatMap(({ maker }) => maker ?? []));
  const cut = new Set(targets.map(({ site }) => site));
  for (const site of new Set([...cut, ...makers])) {
    const before = seams.find(({ readers }) => readers.includes(site));
    const behind = seams.find(({ maker }) => maker === site);
    if (before || behind)
      await put({ ...site.tensor, name: site.weight }, (values) =>
        rescale(site, values, before && scales.get(before)!, behind && scales.get(behind)!),
      );
    const rescaled = before?.maker ? [before.maker.name] : [];
    if (cut.has(site)) yield { layer: site.name, error: null, notes: [], rescaled };
  }
  return rewrite.finish();
}

/** w[n][k] · s_in[k] / s_out[n] */
function rescale(site: LayerSite, values: Float32Array, before?: Float64Array, behind?: Float64Array): void {
  const { rows, columns, order } = rightMatrix(site)!;
  const [rowStep, columnStep] = order === 'rows' ? [columns, 1] : [1, rows];
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < columns; k++) {
      const at = n * rowStep + k * columnStep;
      values[at] = (values[at]! * (before ? before[k]! : 1)) / (behind ? behind[n]! : 1);
    }
  }
}

/** One pass of the samples through the model as it is. */
async function look(
  subject: Subject,
  seams: readonly Seam[],
  gathering: Gathering,
  samples: number,
  title: string,
): Promise<Map<Seam, ChannelStatistics>> {
  const found = new Map<Seam, ChannelStatistics>();
  const tokens = mostTokensOf(subject.sites);
  const flow = await Flow.open(gathering, { samples, ...(tokens === null ? {} : { tokens }) });
  try {
    for (const [i, seam] of seams.entries()) {
      const { channels, value } = seam;
      const mean = new Float64Array(channels);
      const square = new Float64Array(channels);
      const most = new Float64Array(channels);
      let rows = 0;
      const later = seams.slice(i + 1).map((one) => one.value);
      await flow.visit(subject.model, value, later, (feed) => {
        const values = floatsOf(feed);
        if (!values || feed.dims.at(-1) !== channels)
          throw new Error(`${value} is ${feed.dims.join('×')} of ${feed.dtype}, not rows of ${channels}`);
        for (let at = 0; at < values.length; at += channels) {
          for (let k = 0; k < channels; k++) {
            const size = Math.abs(values[at + k]!);
            mean[k]! += size;
            square[k]! += size * size;
            if (size > most[k]!) most[k] = size;
          }
        }
        rows += values.length / channels;
      });
      for (let k = 0; k < channels; k++) {
        mean[k]! /= rows;
        square[k]! /= rows;
      }
      found.set(seam, { mean, square, most });
      gathering.tell(`${title}, value ${i + 1} of ${seams.length}`, i + 1, seams.length);
    }
  } finally {
    await flow.close();
  }
  return found;
}

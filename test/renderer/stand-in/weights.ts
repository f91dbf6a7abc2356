// Statistics as a sweep would measure them, on invented weights: a bell, heavier tails for some, a few outliers.
import type { Layer, Statistics } from '../../../src/contract/words/model';
import { randomOf } from './random';

const bins = 256;

export function statisticsOf(layer: Layer): Statistics {
  const random = randomOf(layer.name);
  const std = 0.5 / Math.sqrt((layer.shape.slice(1).reduce((all, dim) => all * dim, 1) || 1) / 8);
  const heavy = random();
  const reach = std * (6 + heavy ** 3 * 22);
  const [min, max] = [-reach * (0.8 + random() * 0.2), reach];
  const width = (max - min) / bins;
  const counts = Array.from({ length: bins }, (_, bin) => {
    const z = (min + (bin + 0.5) * width) / std;
    const bell = Math.exp(-(z * z) / 2) * 0.985 + (Math.exp(-Math.abs(z) * 0.55) / 2.4) * (0.004 + heavy ** 4 * 1.1);
    const expected = (layer.parameters * width * bell) / (std * Math.sqrt(2 * Math.PI));
    return expected > 3 ? Math.round(expected) : random() < expected ? 1 : 0;
  });
  const total = counts.reduce((sum, count) => sum + count, 0);
  const moment = (power: number) =>
    counts.reduce((sum, count, bin) => sum + count * (min + (bin + 0.5) * width) ** power, 0) / total;
  const variance = moment(2);
  const sigma = Math.sqrt(variance);
  const beyond = counts.reduce(
    (sum, count, bin) => sum + (Math.abs(min + (bin + 0.5) * width) > 6 * sigma ? count : 0),
    0,
  );
  const channelCount = layer.shape[layer.op === 'MatMul' ? 1 : 0] ?? 1;
  const kept = Math.min(512, channelCount);
  const spans = Array.from({ length: kept }, () => {
    const out = random() < 0.03 ? 0.75 + random() * 0.25 : 0.22 + random() * 0.22;
    return [min * out, max * out * (0.8 + random() * 0.2)] as const;
  });
  return {
    min,
    max,
    mean: moment(1),
    std: sigma,
    absMax: Math.max(-min, max),
    kurtosis: moment(4) / variance ** 2,
    zeros: Math.round(random() * 3),
    nonFinite: 0,
    outliers: beyond / total,
    histogram: { min, max, counts },
    channels: { axis: 0, count: channelCount, min: spans.map(([low]) => low), max: spans.map(([, high]) => high) },
  };
}

// Quality, latency and size as figures: the same digits and the same explanation on every page.
import type { Evaluation, Latency, Quality } from '../contract/words/quality';
import { bytes, count, fixed, milliseconds, percent, plural, significant } from './format';
import { isFraction } from './model-words';
import type { MeasuredFigure } from './parts/figure';

/** 94.52 % ±0.45 · 10.31 ±0.29 */
export function qualityText(metric: string, value: number): string {
  return isFraction(metric) ? percent(value) : metric === 'psnr' ? `${fixed(value, 2)}\u202fdB` : significant(value, 4);
}

/** Half the width of the interval, in points or in the metric's unit. */
export function halfText(quality: Quality): string {
  const half = (quality.ci95[1] - quality.ci95[0]) / 2;
  return isFraction(quality.metric) ? fixed(half * 100, 2) : significant(half, 2);
}

export function qualityHow(quality: Quality): string {
  const counted = quality.correct === undefined ? '' : `${count(quality.correct)} of `;
  const low = qualityText(quality.metric, quality.ci95[0]);
  const high = qualityText(quality.metric, quality.ci95[1]);
  return `Measured on ${counted}${plural(quality.n, 'sample')}; 95\u202f% interval ${low} to ${high}.`;
}

export const qualityFigure = (quality: Quality): MeasuredFigure => ({
  kind: 'measured',
  text: qualityText(quality.metric, quality.value),
  half: halfText(quality),
  how: qualityHow(quality),
});

export const latencyFigure = (latency: Latency): MeasuredFigure => ({
  kind: 'measured',
  text: milliseconds(latency.p50),
  how: `Median of ${plural(latency.runs, 'run')}${
    latency.warmup === undefined ? '' : ` after ${plural(latency.warmup, 'warm-up')}`
  }, batch ${latency.batch}, ${plural(latency.threads, 'thread')}; 95\u202f% of them below ${milliseconds(latency.p95)}.`,
});

export const sizeFigure = (size: number): MeasuredFigure => ({
  kind: 'measured',
  text: bytes(size),
  how: `${count(size)} bytes on disk.`,
});

/** *Top-1, n = 10,000* needs n; the label stands over the figure. */
export const nOf = (evaluation: Evaluation): string => `n = ${count(evaluation.quality.n)}`;

/** Without labels and without a parent a model is only compared with itself: that is no measurement of its quality. */
export const isSelfAgreement = ({ quality, agreement }: Evaluation): boolean =>
  quality.metric === 'agreement' && agreement === undefined;

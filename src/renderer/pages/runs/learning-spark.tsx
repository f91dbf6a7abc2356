// A training in the size of a line of text: the validation loss (else the training loss), the parent's level, the weights that were kept.

import type { TrainingRecord } from '../../../contract/words/training';
import { learningOf, type Point, smoothed } from './learning';
import look from './learning.module.css';
import { lineOf } from './learning-geometry';

const [width, height, inset] = [240, 30, 4];

export function LearningSpark({ record }: { record: TrainingRecord }) {
  const learning = learningOf(record);
  const { validation, parent, best, planned } = learning;
  const judged = validation.length > 1;
  const points: readonly Point[] = judged ? validation : smoothed(learning.train);
  const values = points.map(({ value }) => value).filter(Number.isFinite);
  if (values.length < 2) return null;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (step: number) => inset + ((width - 2 * inset) * step) / Math.max(1, planned);
  const y = (value: number) => inset + (height - 2 * inset) * (1 - (value - low) / (high - low || 1));
  return (
    <svg className={look.sparkline} width={width} height={height} aria-hidden="true">
      {judged && parent ? (
        <line className={look.sparkParent} x1={0} x2={width} y1={y(parent.value)} y2={y(parent.value)} />
      ) : null}
      <path className={judged ? look.validation : look.smooth} d={lineOf(points, x, y)} />
      {judged && best ? <circle className={look.point} cx={x(best.step)} cy={y(best.value)} r={3} /> : null}
    </svg>
  );
}

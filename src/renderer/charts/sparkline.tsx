// Sparkline: a histogram in a table cell, 66 × 16, square-root counts.
import { memo } from 'react';
import type { Histogram } from '../../contract/words/model';

const bars = 32;
const [width, height] = [66, 16];

export const Sparkline = memo(function Sparkline({ histogram }: { histogram: Histogram | null }) {
  if (!histogram) return null;
  const size = Math.max(1, Math.ceil(histogram.counts.length / bars));
  const sums = Array.from({ length: Math.ceil(histogram.counts.length / size) }, (_, bar) =>
    histogram.counts.slice(bar * size, (bar + 1) * size).reduce((sum, count) => sum + count, 0),
  );
  const most = Math.max(...sums, 1);
  let path = '';
  for (const [bar, sum] of sums.entries()) {
    if (sum === 0) continue;
    const high = Math.max(0.8, (height - 1) * Math.sqrt(sum / most));
    path += `M${bar * 2} ${height}v${(-high).toFixed(1)}h1.5v${high.toFixed(1)}z`;
  }
  return (
    <svg width={width} height={height} style={{ display: 'block' }} aria-hidden="true">
      <path d={path} fill="var(--l-ink2)" />
    </svg>
  );
});

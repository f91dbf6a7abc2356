// A row's piece of the lineage: its lane, a dot for a run, a dotted ring where nothing was written.
import type { LineageRow } from './lineage';
import { laneCount } from './lineage';

const colors = ['var(--l-dev1)', 'var(--l-dev2)', 'var(--l-dev3)', 'var(--l-dev4)'];
const gap = 17;
const rowHeight = 42;

export function LineageMark({ row, chosen }: { row: LineageRow | undefined; chosen: boolean }) {
  if (!row) return null;
  const x = 12 + row.lane * gap;
  const color = colors[row.lane] ?? colors[0];
  return (
    <svg
      width={12 + laneCount * gap}
      height={rowHeight}
      aria-hidden="true"
      style={{ display: 'block', overflow: 'visible' }}
    >
      {[...new Set([row.lane, ...row.through])].map((lane) => (
        <line
          key={lane}
          x1={12 + lane * gap}
          x2={12 + lane * gap}
          y1="-1"
          y2={rowHeight + 1}
          stroke={colors[lane]}
          strokeWidth="1.5"
        />
      ))}
      {row.hasArtifact ? (
        <circle
          cx={x}
          cy={rowHeight / 2}
          r={chosen ? 5.5 : 4.5}
          fill={color}
          stroke="var(--l-surface)"
          strokeWidth="1.5"
        />
      ) : (
        <circle
          cx={x}
          cy={rowHeight / 2}
          r="4.5"
          fill="var(--l-surface)"
          stroke={color}
          strokeWidth="1.5"
          strokeDasharray="2 2"
        />
      )}
    </svg>
  );
}

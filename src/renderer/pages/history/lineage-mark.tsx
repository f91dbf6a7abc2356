// A row's piece of the lineage: a square for a model, a dot for a run, a dotted ring where nothing was written.
import { type LineageRow, laneCount } from './lineage';

const colours = ['var(--l-dev1)', 'var(--l-dev2)', 'var(--l-dev3)', 'var(--l-dev4)', 'var(--l-fp32)'] as const;
const colourOf = (lane: number): string => colours[lane] ?? 'var(--l-fp32)';
const first = 14;
const gap = 16;
export const lineageWidth = first + (laneCount - 1) * gap + first;

const at = (lane: number) => first + lane * gap;

interface MarkProps {
  row: LineageRow | undefined;
  height: number;
  chosen: boolean;
  /** Of the family of the row under the pointer. */
  lit: boolean;
}

export function LineageMark({ row, height, chosen, lit }: MarkProps) {
  if (!row) return null;
  const x = at(row.lane);
  const middle = height / 2;
  // Lines reach over the hairline between rows.
  const ends = { whole: [-1, height + 1], upper: [-1, middle], lower: [middle, height + 1] } as const;
  const radius = chosen || lit ? 5.5 : 4.5;
  return (
    <svg
      width={lineageWidth}
      height={height}
      aria-hidden="true"
      style={{ display: 'block', overflow: 'visible' }}
      fill="none"
      strokeWidth={1.5}
    >
      {row.lines.map(({ lane, piece }) => (
        <line
          key={`${lane}.${piece}`}
          x1={at(lane)}
          x2={at(lane)}
          y1={ends[piece][0]}
          y2={ends[piece][1]}
          stroke={colourOf(lane)}
        />
      ))}
      {row.joins.map((lane) => (
        <path key={lane} d={`M${at(lane)} -1V${middle - 9}q0 9 -9 9H${x}`} stroke={colourOf(lane)} />
      ))}
      {row.mark === 'square' ? (
        <rect x={x - 6} y={middle - 6} width="12" height="12" fill="var(--l-ink)" />
      ) : row.mark === 'dot' ? (
        <circle cx={x} cy={middle} r={radius} fill={colourOf(row.lane)} stroke="var(--l-surface)" />
      ) : (
        <circle
          cx={x}
          cy={middle}
          r={radius}
          fill="var(--l-surface)"
          stroke={colourOf(row.lane)}
          strokeDasharray="1.5 2"
        />
      )}
    </svg>
  );
}

// The picture that teaches the cut: one workpiece in every diameter, the bits written under it, a chip coming off.
import { Cut } from '../../cut/cut';
import type { CutGeometry } from '../../cut/geometry';
import look from './library.module.css';

const layers = [
  [1, 32],
  [2.2, 16],
  [2.8, 16],
  [3.4, 8],
  [3.4, 8],
  [5, 4],
  [5, 4],
  [1.6, 8],
].map(([parameters = 1, bits = 32], at) => ({ name: `part ${at + 1}`, parameters, bits }));

const [width, height] = [420, 136];

/** The first part in 4 bits: the chip comes off where the tool stands. */
const chipAt = 5;

function overlay({ segments, middle }: CutGeometry) {
  const chip = segments[chipAt]?.x ?? 0;
  return (
    <g>
      <path
        d={`M${chip + 2} ${middle - 36}c-3-30 15-52 36-47 17 4 20 25 7 31-10 5-21-3-16-14`}
        fill="none"
        stroke="var(--l-accent)"
        strokeWidth="2.4"
        strokeLinecap="round"
      />
      <text x="-14" y={height + 17} fontSize="11" textAnchor="end" fill="var(--l-ink3)">
        bits
      </text>
      {segments.map((segment) => (
        <text
          key={segment.names[0]}
          x={segment.x + segment.width / 2}
          y={height + 17}
          fontSize="11"
          textAnchor="middle"
          fill="var(--l-ink3)"
        >
          {segment.bits}
        </text>
      ))}
    </g>
  );
}

export const TeachingCut = () => (
  <figure className={look.teaching}>
    <Cut layers={layers} width={width} height={height}>
      {overlay}
    </Cut>
    <figcaption>Every model is drawn like this: length is parameters, diameter is bits, area is bytes.</figcaption>
  </figure>
);

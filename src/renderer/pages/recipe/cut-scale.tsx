// The scale at the left of the large cut: which diameter is how many bits.
import type { CutGeometry } from '../../cut/geometry';
import look from './hero.module.css';

/** The full diameter, in bits. */
const fullBits = 32;
/** Labels of 8 and 4 would touch at their true height; they stand this far above the centre line, px. */
const lifted: Readonly<Record<number, number>> = { 32: 0, 8: 14, 4: 4 };

export function CutScale({ geometry }: { geometry: CutGeometry }) {
  const { middle, stock } = geometry;
  return (
    <g className={look.scale}>
      {Object.entries(lifted).map(([bits, lift]) => {
        const y = middle - (stock.height / 2) * (Number(bits) / fullBits);
        return (
          <g key={bits}>
            <line x1="-8" x2="-4" y1={y} y2={y} />
            <text x="-12" y={(lift === 0 ? y : middle - lift) + 4} textAnchor="end">
              {bits}
            </text>
          </g>
        );
      })}
    </g>
  );
}

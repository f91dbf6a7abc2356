// The cut as wide as its panel.
import { useElementSize } from '@mantine/hooks';
import { Cut, type CutProps } from '../../cut/cut';

/** The centre line reaches this far beyond either end, px. */
const overhang = 8;

export function WideCut({ height, ...cut }: CutProps & { height: number }) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  return (
    <div ref={ref} style={{ height, margin: `0 ${overhang}px` }}>
      {width > 0 ? <Cut {...cut} width={Math.floor(width)} height={height} /> : null}
    </div>
  );
}

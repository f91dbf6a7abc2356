// A layer's name in a table: in mono, shortened from the left where the window is small.
import { fitName } from '../fit-name';
import { useTight } from '../window-size';

const [tightPx, roomyPx] = [225, 300];

export function LayerName({ children }: { children: string }) {
  const shown = fitName(children, useTight() ? tightPx : roomyPx) ?? children;
  return (
    <span className="mono" title={shown === children ? undefined : children}>
      {shown}
    </span>
  );
}

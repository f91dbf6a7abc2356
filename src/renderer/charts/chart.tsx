// The one frame of every chart: its size, its spoken summary, its table view (T), the axes, the tooltip.
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useShortcut } from '../keys';
import look from './chart.module.css';

/** One switch for all charts: T shows them as tables. */
let asTables = false;
const watchers = new Set<() => void>();
const toggleTables = () => {
  asTables = !asTables;
  for (const watcher of watchers) watcher();
};
const subscribe = (watcher: () => void) => {
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
  };
};

export interface ChartTable {
  heads: readonly string[];
  rows: readonly (readonly ReactNode[])[];
}

export interface ChartProps {
  /** What the chart says, in a sentence: read out instead of the drawing. */
  summary: string;
  table: () => ChartTable;
  /** A number, or fill what is there. */
  height?: number;
  /** Draws with recharts at this size. */
  children: (width: number, height: number) => ReactNode;
}

/** Rows of a table view beyond this are told, not shown. */
const mostRows = 512;

export function Chart({ summary, table, height, children }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: height ?? 0 });
  const tables = useSyncExternalStore(subscribe, () => asTables);
  useShortcut('t', 'Charts as tables', toggleTables);

  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    const observer = new ResizeObserver(([entry]) => {
      const { width = 0, height: high = 0 } = entry?.contentRect ?? {};
      setSize({ width: Math.floor(width), height: Math.floor(high) });
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  return (
    <div className={look.chart} ref={frame} style={height ? { height } : { flex: 1 }}>
      <p className="sr">{summary}</p>
      {tables ? <TableView {...table()} label={summary} /> : size.width > 0 ? children(size.width, size.height) : null}
    </div>
  );
}

function TableView({ heads, rows, label }: ChartTable & { label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable
    // biome-ignore lint/a11y/useSemanticElements: a region that scrolls, not a section of the document
    <div className={look.scroll} tabIndex={0} role="region" aria-label={label}>
      <table className={look.table}>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, mostRows).map((cells, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of one reading, never reordered
            <tr key={at}>
              {cells.map((cell, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: cells are their column
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > mostRows ? <p className={look.more}>{rows.length - mostRows} more rows.</p> : null}
    </div>
  );
}

/** What a tooltip says: a name, then lines. */
export const ChartTip = ({ name, children, mono }: { name: ReactNode; children?: ReactNode; mono?: boolean }) => (
  <div className={look.tip}>
    <b className={mono ? 'mono' : undefined}>{name}</b>
    {children ? <div>{children}</div> : null}
  </div>
);

// Skeleton: pale rows for the first paint of a table, and only for that. Shown after 400 ms, never before.
import { useEffect, useState } from 'react';
import look from './skeleton.module.css';

/** True once something has taken longer than `afterMs`. */
export function useSlow(waiting: boolean, afterMs = 400): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!waiting) {
      setSlow(false);
      return;
    }
    const timer = setTimeout(() => setSlow(true), afterMs);
    return () => clearTimeout(timer);
  }, [waiting, afterMs]);
  return slow;
}

const widths = [62, 48, 71, 55, 66, 43, 58, 69];

export function SkeletonRows({ rows = 8, height = 22 }: { rows?: number; height?: number }) {
  const slow = useSlow(true);
  return (
    <div aria-busy="true" className={look.rows}>
      <span className="sr">Reading</span>
      {slow
        ? Array.from({ length: rows }, (_, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows without identity
            <div key={at} className={look.row} style={{ height }}>
              <i style={{ width: `${widths[at % widths.length]}%` }} />
            </div>
          ))
        : null}
    </div>
  );
}

// Histogram of a layer's weights: log or square-root counts, the ground beyond 6 σ in s1, what lies there in s4.
import { useMemo } from 'react';
import { Area, CartesianGrid, ComposedChart, ReferenceArea, Tooltip, XAxis, YAxis } from 'recharts';
import type { Statistics } from '../../contract/words/model';
import { count, minus, plural, significant } from '../format';
import { horizontalGrid, tip, xAxis, yAxis } from './axes';
import { Chart, ChartTip } from './chart';
import look from './chart.module.css';
import { type Bin, binsOf, type CountScale, countTicks, heightOf, shortCount, sigmaTicks } from './histogram-scale';

interface Point extends Bin {
  x: number;
  calm: number;
  far: number;
}

export function Histogram({
  stats,
  height,
  scale = 'log',
}: {
  stats: Statistics;
  height?: number;
  scale?: CountScale;
}) {
  const { histogram, mean, std, outliers } = stats;
  const points = useMemo((): Point[] => {
    if (!histogram) return [];
    const bins = binsOf(histogram, mean, std);
    const drawn = bins.map((bin) => {
      const high = heightOf(bin.count, scale);
      return { ...bin, x: bin.bin, calm: bin.outlier ? 0 : high, far: bin.outlier ? high : 0 };
    });
    // A step area ends where its last bin begins: one more point closes it.
    const last = drawn.at(-1);
    return last ? [...drawn, { ...last, x: last.x + 1 }] : [];
  }, [histogram, mean, std, scale]);

  if (!histogram || mean === null || std === null) return null;
  const total = histogram.counts.reduce((sum, each) => sum + each, 0);
  const most = Math.max(...histogram.counts, 1);
  const beyond = Math.round((outliers ?? 0) * total);
  const ticks = sigmaTicks(histogram, mean, std);
  const length = histogram.counts.length;
  const place = (sigmas: number) => ((mean + sigmas * std - histogram.min) / (histogram.max - histogram.min)) * length;
  const sayBeyond = beyond === 0 ? 'no weight beyond 6 σ' : `${plural(beyond, 'weight')} beyond 6 σ`;

  return (
    <Chart
      height={height}
      summary={`Histogram of ${count(total)} weights from ${significant(histogram.min)} to ${significant(histogram.max)}; ${sayBeyond}.`}
      table={() => ({
        heads: ['From', 'To', 'Weights'],
        rows: points
          .slice(0, -1)
          .filter((bin) => bin.count > 0)
          .map((bin) => [significant(bin.from, 4), significant(bin.to, 4), count(bin.count)]),
      })}
    >
      {(width, high) => (
        <>
          {beyond > 0 ? <span className={look.warning}>{sayBeyond}</span> : null}
          <ComposedChart width={width} height={high} data={points} margin={{ top: 6, right: 8, bottom: 0, left: 0 }}>
            {[[0, place(-6)] as const, [place(6), length] as const].map(([from, to]) =>
              to > from && from < length && to > 0 ? (
                <ReferenceArea
                  key={from}
                  x1={Math.max(0, from)}
                  x2={Math.min(length, to)}
                  fill="var(--l-s1)"
                  fillOpacity={0.55}
                />
              ) : null,
            )}
            <CartesianGrid {...horizontalGrid} />
            <XAxis
              {...xAxis}
              dataKey="x"
              type="number"
              domain={[0, length]}
              ticks={ticks.map(({ bin }) => bin)}
              tickFormatter={(bin: number) => {
                const tick = ticks.find((each) => each.bin === bin);
                const named = tick && (ticks.length < 14 || tick.sigmas % 6 === 0);
                return named ? sigmaName(tick.sigmas) : '';
              }}
            />
            <YAxis
              {...yAxis}
              type="number"
              domain={[0, heightOf(most, scale) * 1.04]}
              ticks={countTicks(most, scale).map((each) => heightOf(each, scale))}
              tickFormatter={(high: number) =>
                shortCount(countTicks(most, scale).find((each) => heightOf(each, scale) === high) ?? 0)
              }
            />
            <Tooltip
              {...tip}
              content={({ active, payload }) => {
                const bin = payload?.[0]?.payload as Point | undefined;
                return active && bin ? (
                  <ChartTip name={plural(bin.count, 'weight')}>
                    from {significant(bin.from, 3)} to {significant(bin.to, 3)}
                  </ChartTip>
                ) : null;
              }}
            />
            <Area
              dataKey="calm"
              type="stepAfter"
              fill="var(--l-ink2)"
              fillOpacity={1}
              stroke="none"
              isAnimationActive={false}
              activeDot={false}
            />
            <Area
              dataKey="far"
              type="stepAfter"
              fill="var(--l-s4)"
              fillOpacity={1}
              stroke="none"
              isAnimationActive={false}
              activeDot={false}
            />
          </ComposedChart>
        </>
      )}
    </Chart>
  );
}

const sigmaName = (sigmas: number): string => (sigmas === 0 ? '0' : `${sigmas < 0 ? minus : ''}${Math.abs(sigmas)} σ`);

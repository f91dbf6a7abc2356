// Error of each layer's weights, or of its output: A above the line, B below, in the colour of the precision. A bar leads to its layer.
import { Bar, BarChart, Cell, ReferenceLine, Tooltip, XAxis, YAxis } from 'recharts';
import { useAddress } from '../../address';
import { tip } from '../../charts/axes';
import { Chart, ChartTip } from '../../charts/chart';
import { percent, plural } from '../../format';
import { precisionOf } from '../../precision';
import { type ErrorOf, type LayerError, layerErrors } from './error-of-layers';
import look from './pair.module.css';
import type { Marked } from './pair-panel';

const height = 88;

export function LayerErrors({ a, b, modelId, of }: { a: Marked; b: Marked; modelId: string; of: ErrorOf }) {
  const { go } = useAddress();
  const layers = layerErrors(a.row?.document?.layers ?? null, b.row?.document?.layers ?? null, of);
  if (layers.length === 0) return null;
  const data = layers.map((layer) => ({ ...layer, below: -layer.b }));
  const most = (side: 'a' | 'b') => Math.max(...layers.map((layer) => layer[side]));
  const open = (entry: unknown) => {
    const name = (entry as { payload?: LayerError }).payload?.name;
    if (name) go('/inspect', { model: modelId, layers: [name] });
  };
  return (
    <section>
      <h3 className={look.section}>
        <span className={look.sectionTitle}>
          Error of the {of}, <i>% of their size, {plural(layers.length, 'layer')}</i>
        </span>
        <span>A above, B below</span>
      </h3>
      <Chart
        height={height}
        summary={`Error of the ${of} in ${plural(layers.length, 'layer')}; at most ${percent(most('a'), 1)} in A and ${percent(most('b'), 1)} in B.`}
        table={() => ({
          heads: ['Layer', 'A', 'B'],
          rows: layers.map((layer) => [layer.name, percent(layer.a, 1), percent(layer.b, 1)]),
        })}
      >
        {(width, high) => (
          <BarChart
            width={width}
            height={high}
            data={data}
            stackOffset="sign"
            margin={{ top: 2, right: 0, bottom: 2, left: 0 }}
            barCategoryGap={layers.length > 60 ? 0 : '18%'}
          >
            <XAxis dataKey="name" hide />
            <YAxis hide domain={[-most('b') * 1.04, most('a') * 1.04]} />
            <Tooltip
              {...tip}
              content={({ active, payload }) => {
                const layer = payload?.[0]?.payload as LayerError | undefined;
                return active && layer ? (
                  <ChartTip name={layer.name} mono>
                    A {percent(layer.a, 1)}, B {percent(layer.b, 1)}
                  </ChartTip>
                ) : null;
              }}
            />
            <Bar dataKey="a" stackId="one" isAnimationActive={false} onClick={open}>
              {layers.map((layer) => (
                <Cell key={layer.name} fill={`var(--l-${precisionOf(layer.aBits)})`} cursor="pointer" />
              ))}
            </Bar>
            <Bar dataKey="below" stackId="one" isAnimationActive={false} onClick={open}>
              {layers.map((layer) => (
                <Cell key={layer.name} fill={`var(--l-${precisionOf(layer.bBits)})`} cursor="pointer" />
              ))}
            </Bar>
            <ReferenceLine y={0} stroke="var(--l-ink2)" />
          </BarChart>
        )}
      </Chart>
    </section>
  );
}

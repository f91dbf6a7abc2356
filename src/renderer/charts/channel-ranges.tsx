// Range of each output channel: smallest to largest weight; those that set the scale for the rest are in s4.
import { useMemo } from 'react';
import { Bar, BarChart, Cell, ReferenceLine, Tooltip, XAxis, YAxis } from 'recharts';
import type { Statistics } from '../../contract/words/model';
import { count, fixed, plural, significant } from '../format';
import { tip, yAxis } from './axes';
import { Chart, ChartTip } from './chart';

type Channels = NonNullable<Statistics['channels']>;

/** Beyond this share of the largest magnitude a channel sets the scale for the rest. */
const loudShare = 0.62;

export interface Channel {
  channel: number;
  span: [number, number];
  loud: boolean;
}

export function channelsOf(channels: Channels): Channel[] {
  const reach = Math.max(...channels.max.map((high, at) => Math.max(high, -(channels.min[at] ?? 0))), 0);
  return channels.max.map((high, at) => {
    const low = channels.min[at] ?? 0;
    // Thinned channels stand for those around them.
    const channel = Math.floor((at * channels.count) / channels.max.length);
    return { channel, span: [low, high], loud: Math.max(high, -low) > reach * loudShare };
  });
}

/** *9 of 256 set the scale for the rest*; null where most do, since then nobody does. */
export function loudSentence(channels: Channels): string | null {
  const all = channelsOf(channels);
  const loud = all.filter((channel) => channel.loud).length;
  if (loud === 0 || loud > all.length / 4) return null;
  return `${loud} of ${count(all.length)} set the scale for the rest`;
}

export function ChannelRanges({ channels, height = 62 }: { channels: Channels; height?: number }) {
  const all = useMemo(() => channelsOf(channels), [channels]);
  const mark = (loudSentence(channels) ?? '') !== '';
  const reach = Math.max(...all.map(({ span }) => Math.max(-span[0], span[1])), 0) || 1;
  return (
    <Chart
      height={height}
      summary={`Ranges of ${plural(channels.count, 'output channel')}. ${loudSentence(channels) ?? 'No channel stands out'}.`}
      table={() => ({
        heads: ['Channel', 'Smallest', 'Largest'],
        rows: all.map(({ channel, span }) => [channel, significant(span[0], 3), significant(span[1], 3)]),
      })}
    >
      {(width, high) => (
        <BarChart
          width={width}
          height={high}
          data={all}
          margin={{ top: 2, right: 8, bottom: 2, left: 0 }}
          barCategoryGap={0.5}
        >
          <XAxis dataKey="channel" hide />
          <YAxis
            {...yAxis}
            domain={[-reach, reach]}
            ticks={[-reach, 0, reach]}
            tickFormatter={(value: number) => (value === 0 ? '0' : fixed(value, reach < 0.1 ? 3 : reach < 10 ? 2 : 0))}
          />
          <ReferenceLine y={0} stroke="var(--l-line)" />
          <Tooltip
            {...tip}
            content={({ active, payload }) => {
              const channel = payload?.[0]?.payload as Channel | undefined;
              return active && channel ? (
                <ChartTip name={`Channel ${channel.channel}`}>
                  {significant(channel.span[0], 3)} to {significant(channel.span[1], 3)}
                </ChartTip>
              ) : null;
            }}
          />
          <Bar dataKey="span" isAnimationActive={false}>
            {all.map((channel) => (
              <Cell
                key={channel.channel}
                fill={channel.loud && mark ? 'var(--l-s4)' : 'var(--l-ink3)'}
                fillOpacity={channel.loud && mark ? 1 : 0.75}
              />
            ))}
          </Bar>
        </BarChart>
      )}
    </Chart>
  );
}

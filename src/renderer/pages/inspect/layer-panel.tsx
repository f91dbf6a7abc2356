// The selected layer: what it is, the histogram of its weights, the range of each channel, its facts.
import { ActionIcon } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useState } from 'react';
import { ChannelRanges, loudSentence } from '../../charts/channel-ranges';
import { Histogram } from '../../charts/histogram';
import type { CountScale } from '../../charts/histogram-scale';
import { compact, count, fixed, percent, plural, signed, significant } from '../../format';
import { sizeFigure } from '../../measures';
import { Card } from '../../parts/card';
import { Fact, Facts } from '../../parts/fact';
import { Figure } from '../../parts/figure';
import { Arrow } from '../../parts/glyphs';
import { LayerName } from '../../parts/layer-name';
import { Panel } from '../../parts/panel';
import { PrecisionTag } from '../../parts/precision-tag';
import { Segmented } from '../../parts/segmented';
import { SkeletonRows } from '../../parts/skeleton';
import { Term } from '../../parts/term';
import { sharePercent } from './columns';
import look from './inspect.module.css';
import { layerWords } from './layer-words';
import type { LayerRow } from './rows';

export interface LayerPanelProps {
  row: LayerRow;
  /** How many layers are selected in all. */
  selected: number;
  /** Place among the rows by bytes, from 1. */
  place: number;
  onStep(step: 1 | -1): void;
}

const scales = [
  { value: 'log', label: 'log' },
  { value: 'sqrt', label: 'root' },
] as const satisfies readonly { value: CountScale; label: string }[];

export function LayerPanel({ row, selected, place, onStep }: LayerPanelProps) {
  const words = layerWords(row);
  return (
    <Panel
      title={<LayerName>{row.name}</LayerName>}
      mono
      clause={
        <>
          {words.before}
          {words.from ? (
            <>
              {' · '}
              {words.from} <Arrow /> {words.to}
            </>
          ) : null}
        </>
      }
      tools={
        <>
          <ActionIcon aria-label="Layer above" onClick={() => onStep(-1)}>
            <IconArrowUp size={16} />
          </ActionIcon>
          <ActionIcon aria-label="Layer below" onClick={() => onStep(1)}>
            <IconArrowDown size={16} />
          </ActionIcon>
        </>
      }
      scroll
      style={{ flex: 1 }}
    >
      <div className={look.layer}>
        <div className={look.top}>
          <dl className={look.alone}>
            <Fact
              label="Bytes"
              mark="measured"
              note={`${sharePercent(row.share)} of the bytes; ${ordinal(place)} largest`}
            >
              <Figure {...sizeFigure(row.bytes)} size="hero" />
            </Fact>
          </dl>
          <div className={look.kind}>
            <span className={look.label}>Stored as</span>
            <PrecisionTag bits={row.bits} dtype={row.dtype} />
            <span className={look.note}>{plural(row.parameters, 'weight')}</span>
          </div>
        </div>
        {row.tiedTo ? (
          <Card title={`The same weights as ${row.tiedTo}.`}>They are stored and counted once, there.</Card>
        ) : null}
        <Weights row={row} />
        {selected > 1 ? (
          <p className={look.note}>{plural(selected, 'layer')} are selected; this is the first.</p>
        ) : null}
      </div>
    </Panel>
  );
}

function Weights({ row }: { row: LayerRow }) {
  const [scale, setScale] = useState<CountScale>('log');
  const { stats } = row;
  if (!stats)
    return (
      <div className={look.waiting}>
        <p className={look.note}>The weights of this layer are still to be read.</p>
        <SkeletonRows rows={6} />
      </div>
    );
  const { channels } = stats;
  const loud = channels ? loudSentence(channels) : null;
  return (
    <>
      {stats.nonFinite > 0 ? (
        <Card
          tone="bad"
          title={`${plural(stats.nonFinite, 'weight')} of this layer ${stats.nonFinite === 1 ? 'is' : 'are'} not finite.`}
        >
          They are left out of the figures here, and any cut will keep this layer as it is.
        </Card>
      ) : null}
      {stats.histogram ? (
        <section className={look.grow}>
          <div className={look.head}>
            <span>
              <b>Weights</b> · {stats.histogram.counts.length} bins, {scale === 'log' ? 'log' : 'square-root'} count
            </span>
            <span className={look.tools}>
              <Term id="sigma">σ</Term> = {significant(stats.std ?? 0, 3)}
              <Segmented<CountScale> label="Scale of the counts" segments={scales} value={scale} onChange={setScale} />
            </span>
          </div>
          <Histogram stats={stats} scale={scale} />
        </section>
      ) : (
        <p className={look.note}>This layer holds no finite weights.</p>
      )}
      {channels && channels.count > 1 ? (
        <section>
          <div className={look.head}>
            <b>Range of each output channel</b>
            <span>
              {loud ??
                (channels.max.length < channels.count
                  ? `${channels.max.length} of ${count(channels.count)} drawn`
                  : '')}
            </span>
          </div>
          <ChannelRanges channels={channels} />
        </section>
      ) : null}
      <Facts>
        <Fact label="Min">{stats.min === null ? 'none' : significant(stats.min, 3)}</Fact>
        <Fact label="Max">{stats.max === null ? 'none' : plus(stats.max)}</Fact>
        <Fact label="Mean">{stats.mean === null ? 'none' : significant(stats.mean, 2)}</Fact>
        <Fact label={<Term id="kurtosis">Kurtosis</Term>}>
          {stats.kurtosis === null ? 'none' : fixed(stats.kurtosis, 1)}
        </Fact>
        <Fact label="Zeros">{percent(row.parameters > 0 ? stats.zeros / row.parameters : 0, 1)}</Fact>
        <Fact label={<Term id="outliers">Beyond 6 σ</Term>}>
          {stats.outliers === null ? 'none' : percent(stats.outliers, 3)}
        </Fact>
        <Fact label={<Term id="multiply-adds">Multiply-adds</Term>}>
          {row.macs === null ? <Figure kind="unknown" word="shape unknown" /> : compact(row.macs)}
        </Fact>
        <Fact label="Bits a weight">{significant(row.bits, 3)}</Fact>
      </Facts>
    </>
  );
}

const plus = (value: number): string => (value > 0 ? `+${significant(value, 3)}` : signed(value, 3));

function ordinal(place: number): string {
  if (place === 1) return 'the';
  const last = place % 100 > 10 && place % 100 < 14 ? 0 : place % 10;
  return `${place}${last === 1 ? 'st' : last === 2 ? 'nd' : last === 3 ? 'rd' : 'th'}`;
}

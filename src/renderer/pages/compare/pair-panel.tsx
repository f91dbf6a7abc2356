// A and B side by side: their cuts and figures, the verdict between them, what each layer and the recipe differ in.
import { Button } from '@mantine/core';
import { IconArrowsExchange } from '@tabler/icons-react';
import type { LibraryDataset } from '../../../contract/words/dataset';
import type { MethodCard } from '../../../contract/words/method';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { cutOfModel, cutOfRun, stockOf } from '../../cut/layers';
import { bytes, milliseconds } from '../../format';
import { qualityText } from '../../measures';
import { EmptyState } from '../../parts/empty-state';
import { KeyCap } from '../../parts/key-cap';
import { Panel } from '../../parts/panel';
import { WideCut } from '../runs/wide-cut';
import { ChangedAnswers } from './changed-answers';
import type { Point } from './front';
import { LayerErrors } from './layer-errors';
import look from './pair.module.css';
import { PairVerdict } from './pair-verdict';
import { RecipeDifference } from './recipe-difference';

export interface Marked {
  point: Point;
  /** Null for the parent. */
  row: RunRow | null;
}

interface PairPanelProps {
  parent: LibraryModel;
  dataset: LibraryDataset | null;
  cards: readonly MethodCard[];
  a: Marked | null;
  b: Marked | null;
  metric: string;
  onSwap(): void;
}

export function PairPanel({ parent, dataset, cards, a, b, metric, onSwap }: PairPanelProps) {
  return (
    <Panel
      style={{ flex: 1 }}
      title="A and B"
      tools={
        a && b ? (
          <Button size="compact-xs" variant="subtle" leftSection={<IconArrowsExchange size={14} />} onClick={onSwap}>
            Swap
          </Button>
        ) : null
      }
      scroll
    >
      {!b ? (
        <EmptyState title="Choose a run to look at it here.">
          A click marks B, Alt and a click marks A; or the keys <KeyCap keys="a" /> and <KeyCap keys="b" /> on a row.
        </EmptyState>
      ) : (
        <div className={look.pair}>
          <div className={look.sides}>
            <Side letter="A" marked={a} parent={parent} metric={metric} />
            <Side letter="B" marked={b} parent={parent} metric={metric} />
          </div>
          {a ? (
            <>
              <PairVerdict a={a.point} b={b.point} metric={metric} />
              <ChangedAnswers a={a.point} b={b.point} dataset={dataset} />
              <LayerErrors a={a} b={b} modelId={parent.id} of="weights" />
              <LayerErrors a={a} b={b} modelId={parent.id} of="outputs" />
            </>
          ) : null}
          <RecipeDifference a={a} b={b} cards={cards} />
        </div>
      )}
    </Panel>
  );
}

interface SideProps {
  letter: 'A' | 'B';
  marked: Marked | null;
  parent: LibraryModel;
  metric: string;
}

function Side({ letter, marked, parent, metric }: SideProps) {
  if (!marked)
    return (
      <div className={look.none}>
        <b className={look.letter}>{letter}</b> Mark another run with <KeyCap keys="a" />
      </div>
    );
  const { point, row } = marked;
  return (
    <div>
      <div className={look.sideHead}>
        <b className={look.letter}>{letter}</b> {point.parent ? '' : point.number} <b>{point.title}</b>
      </div>
      <WideCut
        height={34}
        layers={row?.document ? cutOfRun(row.document.layers, parent.layers) : cutOfModel(parent.layers)}
        stock={stockOf(parent.layers)}
        bytesShare={point.bytes / parent.summary.bytes}
      />
      <div className={look.sideFigures}>
        <b>{bytes(point.bytes)}</b>
        <b>{point.reference ? '' : qualityText(metric, point.value)}</b>
        <b>{point.latencyMs === null ? '' : milliseconds(point.latencyMs)}</b>
      </div>
    </div>
  );
}

// A and B side by side: their cuts and figures, how far their answers part from the parent's, and their recipes' difference.
import { Button } from '@mantine/core';
import { IconArrowsExchange } from '@tabler/icons-react';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { Cut } from '../../cut/cut';
import { cutOfModel, cutOfRun, stockOf } from '../../cut/layers';
import { bytes, count, milliseconds, percent, significant } from '../../format';
import { qualityText } from '../../measures';
import { EmptyState } from '../../parts/empty-state';
import { Panel } from '../../parts/panel';
import { printRecipe } from '../recipe/print-recipe';

import look from './compare.module.css';
import { apart, type Point } from './front';
import { difference } from './verdict';

interface SideProps {
  parent: LibraryModel;
  a: { point: Point; row: RunRow | null } | null;
  b: { point: Point; row: RunRow | null } | null;
  metric: string;
  onSwap(): void;
}

export function SideBySide({ parent, a, b, metric, onSwap }: SideProps) {
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
      padded
    >
      {!b ? (
        <EmptyState title="Choose a run to look at it here.">
          A click marks B; Ctrl and click, or Alt and a point, marks A.
        </EmptyState>
      ) : (
        <>
          <div className={look.pair}>
            {[a, b].map((each, at) =>
              each ? (
                <div key={each.point.id}>
                  <div className={look.pairHead}>
                    <b className={look.letter}>{at === 0 ? 'A' : 'B'}</b> {each.point.parent ? '' : each.point.number}{' '}
                    <b>{each.point.title}</b>
                  </div>
                  <Cut
                    size="panel"
                    width={200}
                    layers={
                      each.row?.document ? cutOfRun(each.row.document.layers, parent.layers) : cutOfModel(parent.layers)
                    }
                    stock={stockOf(parent.layers)}
                    bytesShare={each.point.bytes / parent.summary.bytes}
                  />
                  <div className={look.pairFigures}>
                    <b>{bytes(each.point.bytes)}</b>
                    <b>{qualityText(metric, each.point.value)}</b>
                    <b>{each.point.latencyMs === null ? '' : milliseconds(each.point.latencyMs)}</b>
                  </div>
                </div>
              ) : null,
            )}
          </div>
          {a && b ? <Verdict a={a.point} b={b.point} metric={metric} /> : null}
          {[a, b].map((each, at) =>
            each?.row?.document?.agreement ? (
              <Agreement key={each.point.id} letter={at === 0 ? 'A' : 'B'} row={each.row} />
            ) : null,
          )}
          {a?.row && b.row ? <RecipeDifference a={a.row} b={b.row} /> : null}
          {!a && b.row ? <pre className={look.recipe}>{printRecipe(b.row.recipe)}</pre> : null}
        </>
      )}
    </Panel>
  );
}

function Verdict({ a, b, metric }: { a: Point; b: Point; metric: string }) {
  const change = difference(b, a, metric);
  const words = !apart(a, b)
    ? `A and B cannot be told apart by their intervals with ${count(Math.min(a.n, b.n))} samples.`
    : `B is ${change.tone === 'good' ? 'better' : 'worse'} than A: ${change.text.replace(/^[+−]/, '')}${metric === 'perplexity' ? '' : ' points'}.`;
  return <p className={look.verdict}>{words}</p>;
}

function Agreement({ letter, row }: { letter: string; row: RunRow }) {
  const agreement = row.document?.agreement;
  if (!agreement) return null;
  return (
    <p className={look.agreement}>
      <b className={look.letter}>{letter}</b> {count(agreement.flips)} of {count(agreement.n)} answers differ from the
      parent’s
      {agreement.top1 === undefined ? '' : ` (${percent(agreement.top1)} agree)`}
      {agreement.klDivergence === undefined ? '' : `; KL ${significant(agreement.klDivergence, 2)}`}.
    </p>
  );
}

/** Lines only one of two texts has, in order. */
export function lineDifference(a: readonly string[], b: readonly string[]): { sign: '−' | '+'; text: string }[] {
  const inA = new Set(a);
  const inB = new Set(b);
  return [
    ...a.filter((line) => !inB.has(line)).map((text) => ({ sign: '−' as const, text })),
    ...b.filter((line) => !inA.has(line)).map((text) => ({ sign: '+' as const, text })),
  ];
}

function RecipeDifference({ a, b }: { a: RunRow; b: RunRow }) {
  const lines = lineDifference(printRecipe(a.recipe).split('\n'), printRecipe(b.recipe).split('\n'));
  return (
    <>
      <h3 className={look.section}>{lines.length === 0 ? 'The recipes are the same' : 'Where the recipes differ'}</h3>
      {lines.length > 0 ? (
        <pre className={look.recipe}>
          {lines.map((line) => (
            <span key={line.sign + line.text} data-sign={line.sign}>
              {line.sign} {line.text.trim()}
              {'\n'}
            </span>
          ))}
        </pre>
      ) : null}
    </>
  );
}

// The Compare page: the verdict in words, the front, the table, and two runs side by side.
import { Button } from '@mantine/core';
import { useState } from 'react';
import { useAddress } from '../../address';
import { useShortcut } from '../../keys';
import { EmptyState } from '../../parts/empty-state';
import { Finding } from '../../parts/finding';
import { Panel } from '../../parts/panel';
import { Split } from '../../parts/split';
import { useChosenDataset, useMethods, useOpenModel } from '../../queries';
import look from './compare.module.css';
import { paretoFront } from './front';
import { NothingToCompare } from './nothing-to-compare';
import { PairPanel } from './pair-panel';
import { parentId, useComparison } from './points';
import { RunTable } from './run-table';
import { type Cost, costOf, ScatterPanel } from './scatter';
import { favourite, finding } from './verdict';

export default function ComparePage() {
  const model = useOpenModel();
  const dataset = useChosenDataset();
  const cards = useMethods().data ?? [];
  const { a, b, set, go } = useAddress();
  const [cost, setCost] = useState<Cost>('size');
  const [hovered, setHovered] = useState<string | null>(null);
  const [pin, setPin] = useState(parentId);
  const { parent, metric, points, parentPoint, rows, left } = useComparison(model, dataset, cards);

  const front = paretoFront(points, metric, costOf('size'));
  const chosen = points.find((point) => point.id === b) ?? favourite(front, parentPoint, metric);
  const other = points.find((point) => point.id === a) ?? (chosen?.parent ? null : parentPoint);
  const pinned = points.find((point) => point.id === pin) ?? parentPoint;
  const pick = (id: string, asA: boolean) => set(asA ? { a: id } : { b: id }, { replace: true });
  // The keys mean the row under the pointer, else the one that is chosen.
  const meant = hovered ?? chosen?.id ?? null;
  useShortcut('a', 'Mark A', () => meant && pick(meant, true), meant !== null);
  useShortcut('b', 'Mark B', () => meant && pick(meant, false), meant !== null);
  useShortcut('p', 'Pin: differences are to it', () => setPin(meant ?? parentId), meant !== null);

  if (!model || !parent)
    return (
      <EmptyState
        title="No model is open."
        actions={
          <Button variant="filled" onClick={() => go('/')}>
            Open a model
          </Button>
        }
      >
        Runs are compared with the model they were made from.
      </EmptyState>
    );
  if (points.every((point) => point.parent)) return <NothingToCompare parent={parent} dataset={dataset} left={left} />;
  const rowOf = (id: string | undefined) => rows.find((row) => row.id === id) ?? null;
  const deployable = rowOf(chosen?.id);

  return (
    <div className={look.page}>
      <Finding
        aside={dataset ? `on ${dataset.summary.name}` : undefined}
        actions={
          deployable ? (
            <Button
              variant="filled"
              onClick={() => go('/deploy', { model: deployable.artifactModelId ?? parent.id, run: deployable.id })}
            >
              Deploy run {deployable.number}
            </Button>
          ) : undefined
        }
      >
        {finding(chosen, parentPoint, metric)}
      </Finding>
      <Split
        id="compare"
        fixed="end"
        size={0.37}
        min={{ start: 520, end: 320 }}
        start={
          <div className={look.main}>
            <ScatterPanel
              points={points}
              metric={metric}
              cost={cost}
              onCost={setCost}
              a={other?.id ?? null}
              b={chosen?.id ?? null}
              hovered={hovered}
              onHover={setHovered}
              left={left}
              onPick={pick}
            />
            <Panel
              title="Runs"
              clause={`differences are to ${pinned?.parent === false ? `run ${pinned.number}` : 'the parent'}; grey where they cannot be told apart`}
            >
              <RunTable
                points={points}
                rows={rows}
                pinned={pinned}
                metric={metric}
                a={other?.id ?? null}
                b={chosen?.id ?? null}
                hovered={hovered}
                onHover={setHovered}
                onPick={pick}
                onOpen={(id) => go('/runs', { run: id })}
              />
            </Panel>
          </div>
        }
        end={
          <PairPanel
            parent={parent}
            dataset={dataset}
            cards={cards}
            metric={metric}
            a={other && other.id !== chosen?.id ? { point: other, row: rowOf(other.id) } : null}
            b={chosen ? { point: chosen, row: rowOf(chosen.id) } : null}
            onSwap={() => set({ a: chosen?.id ?? null, b: other?.id ?? parentId })}
          />
        }
        drawer={{ open: b !== null, onClose: () => set({ b: null }), label: 'A and B' }}
      />
    </div>
  );
}

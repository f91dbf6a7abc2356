// The Compare page: the verdict in words, the front, the table, and two runs side by side.
import { Button } from '@mantine/core';
import { useState } from 'react';
import { useAddress } from '../../address';
import { EmptyState } from '../../parts/empty-state';
import { Finding } from '../../parts/finding';
import { Panel } from '../../parts/panel';
import { Split } from '../../parts/split';
import { useChosenDataset, useMethods, useOpenModel } from '../../queries';
import look from './compare.module.css';
import { paretoFront } from './front';
import { parentId, useComparison } from './points';
import { RunTable } from './run-table';
import { type Cost, costOf, ScatterPanel } from './scatter';
import { SideBySide } from './side-by-side';
import { favourite, finding } from './verdict';

export default function ComparePage() {
  const model = useOpenModel();
  const dataset = useChosenDataset();
  const cards = useMethods().data ?? [];
  const { a, b, set, go } = useAddress();
  const [cost, setCost] = useState<Cost>('size');
  const { parent, metric, points, parentPoint, rows, unmeasured } = useComparison(model, dataset, cards);
  if (!model || !parent)
    return (
      <EmptyState title="No model is open.">
        Runs are compared with the model they were made from: open one in the Library.
      </EmptyState>
    );
  if (points.filter((point) => !point.parent).length === 0)
    return (
      <EmptyState
        title={
          unmeasured.length > 0
            ? `${unmeasured.length} of ${parent.name}’s runs ended, none measured on a dataset.`
            : `${parent.name} has no run to compare yet.`
        }
        actions={
          <Button variant="filled" onClick={() => go('/recipe', { model: parent.id })}>
            Write a recipe
          </Button>
        }
      >
        {dataset
          ? 'Run a recipe, and it stands here beside its parent.'
          : 'Choose a dataset above, then run a recipe: quality is measured on the very file that will be exported.'}
      </EmptyState>
    );

  const front = paretoFront(points, metric, costOf('size'));
  const chosen = points.find((point) => point.id === b) ?? favourite(front, parentPoint, metric);
  const other = points.find((point) => point.id === a) ?? parentPoint;
  const pick = (id: string, asA: boolean) => set(asA ? { a: id } : { b: id });
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
        {finding(chosen?.parent ? null : chosen, parentPoint, metric)}
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
              unmeasured={unmeasured.length}
              onPick={pick}
            />
            <Panel title="Runs" clause="differences are to the parent; grey where intervals overlap">
              <RunTable
                points={points}
                rows={rows}
                parent={parentPoint}
                metric={metric}
                a={other?.id ?? null}
                b={chosen?.id ?? null}
                onPick={pick}
                onOpen={(id) => go('/runs', { run: id })}
              />
            </Panel>
          </div>
        }
        end={
          <SideBySide
            parent={parent}
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

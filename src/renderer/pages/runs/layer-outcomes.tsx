// Every layer of a finished run: its width, bytes before and after, the error of its weights, and why it was kept.
import { useMemo, useState } from 'react';
import type { LayerOutcome } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { bytes, fixed, thin } from '../../format';
import { type Column, DataTable } from '../../parts/data-table';
import { Figure } from '../../parts/figure';
import { PrecisionTag } from '../../parts/precision-tag';
import type { Sorting } from '../../parts/sorting';
import { useMethods } from '../../queries';
import { sentenceOf } from '../../refusal-words';
import look from './detail.module.css';

const isExact = ({ sqnrDb }: LayerOutcome): boolean => sqnrDb === undefined || sqnrDb === null;
const nameOf = (layer: LayerOutcome) => layer.name;

export function LayerOutcomes({ modelId, layers }: { modelId: string; layers: readonly LayerOutcome[] }) {
  const { go } = useAddress();
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const cards = useMethods().data;
  const trains = useMemo(
    () => new Set((cards ?? []).filter(({ family }) => family === 'train').map(({ id }) => id)),
    [cards],
  );
  const columns = useMemo<Column<LayerOutcome>[]>(
    () => [
      { id: 'layer', head: 'Layer', sort: nameOf, cell: (layer) => <span className="mono">{layer.name}</span> },
      {
        id: 'bits',
        head: 'Precision',
        width: 84,
        sort: (layer) => layer.bits ?? 32,
        cell: (layer) => (layer.bits === undefined ? '' : <PrecisionTag bits={layer.bits} />),
      },
      {
        id: 'before',
        head: 'Before',
        align: 'right',
        width: 84,
        sort: (layer) => layer.bytesBefore,
        cell: (layer) => bytes(layer.bytesBefore),
      },
      {
        id: 'after',
        head: 'After',
        align: 'right',
        width: 84,
        evidence: 'measured',
        sort: (layer) => layer.bytesAfter,
        cell: (layer) => <Figure kind="measured" size="table" text={bytes(layer.bytesAfter)} />,
      },
      {
        id: 'error',
        head: 'Error of the weights, dB',
        align: 'right',
        width: 160,
        evidence: 'measured',
        sort: (layer) => layer.sqnrDb ?? null,
        cell: (layer) =>
          layer.methods.length === 0 ? (
            <span className={look.quiet}>as it was</span>
          ) : isExact(layer) && layer.methods.some((id) => trains.has(id)) ? (
            <span className={look.quiet}>trained</span>
          ) : (
            <Figure
              kind="measured"
              size="table"
              text={isExact(layer) ? 'exact' : fixed(layer.sqnrDb ?? 0, 1)}
              how={`Signal to noise of the weights as stored, over all of them${thin}.`}
            />
          ),
      },
      {
        id: 'why',
        head: 'Kept because',
        cell: (layer) => <span className={look.why}>{layer.refusal ? sentenceOf(layer.refusal) : ''}</span>,
      },
    ],
    [trains],
  );
  if (layers.length === 0) return null;
  return (
    <DataTable
      label="Layers of the run"
      columns={layers.some((layer) => layer.refusal) ? columns : columns.slice(0, -1)}
      rows={layers}
      rowKey={nameOf}
      sorting={sorting}
      onSort={setSorting}
      onOpen={(layer) => go('/inspect', { model: modelId, layers: [layer.name] })}
    />
  );
}

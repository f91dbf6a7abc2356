// The hash of a run's artifact, and whether replaying it gave the same bytes.
import { IconFingerprint } from '@tabler/icons-react';
import type { RunDocument, RunRow } from '../../../contract/words/run';
import { clock, day } from '../../format';
import { Card } from '../../parts/card';
import { originalOf } from '../runs/words';
import look from './history.module.css';

interface ReplayOutcome {
  identical: boolean;
  why?: readonly string[] | undefined;
  at: string;
}

/** The newest replay of this run that history remembers. */
function remembered(row: RunRow, rows: readonly RunRow[]): ReplayOutcome | null {
  const replay = rows.find(
    (each) => each.kind === 'replay' && each.state === 'done' && originalOf(each, rows)?.id === row.id,
  );
  if (!replay?.document || !row.document) return null;
  return { identical: replay.document.artifact.sha256 === row.document.artifact.sha256, at: replay.createdAt };
}

interface ReplayCardProps {
  row: RunRow;
  rows: readonly RunRow[];
  document: RunDocument;
  /** What the replay asked for just now came to. */
  outcome: { identical: boolean; why?: string[] | undefined } | null;
  pending: boolean;
}

export function ReplayCard({ row, rows, document, outcome, pending }: ReplayCardProps) {
  const known = outcome ? { ...outcome, at: new Date().toISOString() } : remembered(row, rows);
  return (
    <div className={look.replay} data-tone={known ? (known.identical ? 'good' : 'warn') : undefined}>
      <div className={look.replayHead}>
        <IconFingerprint size={16} aria-hidden="true" />
        <b role="status">
          {pending
            ? 'Replaying: same recipe, model and seed'
            : known
              ? known.identical
                ? 'Replayed, same bytes'
                : 'Replayed, other bytes'
              : 'Not replayed yet'}
        </b>
        {known && !pending ? (
          <span>
            {day(known.at)}, {clock(known.at)}
          </span>
        ) : null}
      </div>
      <pre>
        sha256 {grouped(document.artifact.sha256)}
        {'\n'}seed {row.seed} · lathe {document.run.lathe} · onnxruntime {document.run.machine.onnxruntime}
      </pre>
      {known && !known.identical && known.why ? <Card title="Why they differ.">{known.why.join(' ')}</Card> : null}
    </div>
  );
}

/** *9f31 7ab0 … 52d4 c2e0* */
const grouped = (hash: string): string =>
  `${hash.slice(0, 4)} ${hash.slice(4, 8)} … ${hash.slice(-8, -4)} ${hash.slice(-4)}`;

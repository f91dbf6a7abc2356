// History as CSV (RFC 4180): one line a run, numbers as numbers.
import type { Evaluation } from '../../contract/words/quality';
import type { RunRecord } from '../history/runs';

type Cell = string | number | null | undefined;

const columns: readonly (readonly [string, (run: RunRecord) => Cell])[] = [
  ['number', ({ row }) => row.number],
  ['id', ({ row }) => row.id],
  ['kind', ({ row }) => row.kind],
  ['state', ({ row }) => row.state],
  ['created_at', ({ row }) => row.createdAt],
  ['finished_at', ({ row }) => row.finishedAt],
  ['model', ({ row }) => row.model],
  ['model_sha256', ({ row }) => row.modelSha256],
  ['parent_id', ({ row }) => row.parentId],
  ['recipe_name', ({ row }) => row.recipe.name],
  ['methods', ({ row }) => row.recipe.steps.map((step) => step.method).join(' + ')],
  ['recipe', ({ row }) => (row.recipe.steps.length > 0 ? JSON.stringify(row.recipe) : null)],
  ['seed', ({ row }) => row.seed],
  ['dataset', ({ row }) => row.dataset],
  ['bytes', ({ row }) => row.bytes],
  ['metric', ({ row }) => row.metric],
  ['value', ({ row }) => row.value],
  ['ci95_low', (run) => measured(run)?.quality.ci95[0]],
  ['ci95_high', (run) => measured(run)?.quality.ci95[1]],
  ['n', (run) => measured(run)?.quality.n],
  ['latency_p50_ms', (run) => measured(run)?.latencyMs?.p50],
  ['latency_p95_ms', (run) => measured(run)?.latencyMs?.p95],
  ['baseline_value', ({ row }) => row.document?.baseline?.quality.value],
  ['flips', ({ row }) => row.document?.agreement?.flips],
  ['artifact_sha256', ({ row }) => row.document?.artifact.sha256],
  ['seconds', ({ row }) => row.document?.seconds],
  ['peak_bytes', ({ row }) => row.document?.peakBytes],
  ['error', ({ row }) => row.error?.sentence],
];

export function csvOf(runs: readonly RunRecord[]): string {
  const lines = [columns.map(([name]) => name), ...runs.map((run) => columns.map(([, cell]) => field(cell(run))))];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function measured({ row, evaluation }: RunRecord): Evaluation | undefined {
  return row.document?.compressed ?? evaluation ?? undefined;
}

function field(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  // A spreadsheet would compute a text that begins so.
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

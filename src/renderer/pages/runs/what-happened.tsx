// What happened: the run's log, each line with its time; a layer named in it leads to Inspect.
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCircleX, IconCopy } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { RunLogLine, RunRow } from '../../../contract/words/run';
import { useAddress } from '../../address';
import { orpc } from '../../api';
import { EmptyState } from '../../parts/empty-state';
import { Panel } from '../../parts/panel';
import { TextAction } from '../../parts/text-action';
import look from './detail.module.css';
import { coverage } from './words';

const time = (iso: string) => new Date(iso).toLocaleTimeString('en-GB');

/** What a finished run notes of itself, as lines of its end. */
const notesOf = (row: RunRow): RunLogLine[] =>
  (row.document?.notes ?? []).map((text) => ({ at: row.finishedAt ?? row.createdAt, level: 'info', text }));

export function WhatHappened({ row }: { row: RunRow }) {
  const { to } = useAddress();
  const logged = useQuery(orpc.runs.log.queryOptions({ input: { id: row.id } })).data ?? [];
  const lines = [...logged, ...notesOf(row)];
  const newest = [...lines].reverse();
  const text = lines.map((line) => `${line.at}  ${line.text}`).join('\n');
  return (
    <Panel
      title="What happened"
      clause={coverage(row) ?? ''}
      scroll
      tools={
        <Tooltip label="Copy the log">
          <ActionIcon
            aria-label="Copy the log"
            disabled={lines.length === 0}
            onClick={() => void navigator.clipboard.writeText(text)}
          >
            <IconCopy size={14} />
          </ActionIcon>
        </Tooltip>
      }
    >
      {newest.length === 0 ? (
        <EmptyState title={row.state === 'queued' ? 'It has not begun.' : 'Nothing to tell yet.'}>
          Every layer that is cut, kept or changed in another way is told here.
        </EmptyState>
      ) : null}
      <ol className={look.log}>
        {newest.map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added
          <li key={newest.length - at} data-level={line.level}>
            <time dateTime={line.at}>{time(line.at)}</time>
            <span className={look.logIcon}>
              {line.level === 'warn' ? (
                <IconAlertTriangle size={14} aria-label="Warning" />
              ) : line.level === 'bad' ? (
                <IconCircleX size={14} aria-label="Failure" />
              ) : null}
            </span>
            <span>
              {line.text}{' '}
              {line.layer ? (
                <TextAction href={to('/inspect', { model: row.modelId, layers: [line.layer] })}>
                  {line.layer}
                </TextAction>
              ) : null}
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

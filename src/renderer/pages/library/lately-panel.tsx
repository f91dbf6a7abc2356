// Lately: runs that ended; a click opens the run. At the foot, what the library holds.
import { IconBolt, IconBoltOff, IconCheck, IconDatabase, IconX, type TablerIcon } from '@tabler/icons-react';
import { Link } from 'wouter';
import { useAddress } from '../../address';
import { ago, bytes } from '../../format';
import { useNow, useUsage } from '../../live';
import { EmptyState } from '../../parts/empty-state';
import { Panel } from '../../parts/panel';
import { useRuns } from '../../queries';
import { type Event, latelyOf } from './lately';
import look from './library.module.css';

const icons: Record<Event['tone'], TablerIcon> = { good: IconCheck, warn: IconBoltOff, bad: IconBolt, calm: IconX };

export function LatelyPanel() {
  const runs = useRuns().data ?? [];
  const { to } = useAddress();
  const now = useNow();
  const usage = useUsage(false);
  const events = latelyOf(runs);
  const modelOf = (id: string) => runs.find((run) => run.id === id)?.modelId ?? null;
  return (
    <Panel
      title="Lately"
      scroll
      style={{ flex: '1 1 160px', minHeight: 120 }}
      foot={
        usage ? (
          <>
            <IconDatabase size={14} aria-hidden="true" />
            <span style={{ flex: 1 }}>Library holds {bytes(usage.libraryBytes)}</span>
          </>
        ) : null
      }
    >
      {events.length === 0 ? (
        <EmptyState title="Nothing yet." />
      ) : (
        <ul className={look.list}>
          {events.map((event) => {
            const Icon = icons[event.tone];
            return (
              <li key={event.id}>
                <Link className={look.event} href={to('/history', { model: modelOf(event.id), run: event.id })}>
                  <Icon size={18} aria-hidden="true" data-tone={event.tone} />
                  <span className={look.words}>
                    <b>{event.title}</b>
                    <span>{event.text}</span>
                  </span>
                  <time dateTime={event.at}>{ago(event.at, now)}</time>
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}

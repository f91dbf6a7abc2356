// Status: icon and word in colour on the plain surface; never a coloured row, never a lone dot.
import { IconAlertTriangle, IconCircleCheck, IconCircleX, type TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import look from './status.module.css';

export type Tone = 'good' | 'warn' | 'bad';

const icons = { good: IconCircleCheck, warn: IconAlertTriangle, bad: IconCircleX } as const satisfies Record<
  Tone,
  TablerIcon
>;

export function Status({ tone, icon, children }: { tone: Tone; icon?: TablerIcon; children: ReactNode }) {
  const Icon = icon ?? icons[tone];
  return (
    <span className={look.status} data-tone={tone}>
      <Icon size={14} aria-hidden="true" />
      {children}
    </span>
  );
}

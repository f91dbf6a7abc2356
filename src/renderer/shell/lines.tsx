// Lines over the page: the connection is lost; something is being opened, uploaded or refused.
import { ActionIcon, Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useConnection } from '../connection';
import { bytes, percent, roughDuration } from '../format';
import { dismissOpening, type Opening, useOpening, useOpeningState } from '../opening';
import { RefusalCard } from '../parts/card';
import { ProgressBar } from '../parts/progress';
import { useSlow } from '../parts/skeleton';
import { openFolderBrowser } from './folder-browser-state';
import look from './lines.module.css';

export function ConnectionLine() {
  const lost = useSlow(useConnection() === 'lost', 300);
  return lost ? (
    <div className={look.line} role="status">
      <b>The connection to the workbench is lost.</b> Reconnecting. Runs go on meanwhile.
    </div>
  ) : null;
}

export function OpeningLine() {
  const opening = useOpeningState();
  const slow = useSlow(opening.state === 'opening');
  switch (opening.state) {
    case 'idle':
      return null;
    case 'opening':
      return slow ? (
        <div className={look.line} role="status">
          <span>Reading {opening.name}</span>
          <ProgressBar share={null} label={`Reading ${opening.name}`} width={190} />
        </div>
      ) : null;
    case 'uploading':
      return <Uploading opening={opening} />;
    case 'large':
      return <Large opening={opening} />;
    case 'refused':
      return (
        <div className={look.refused}>
          <RefusalCard refusal={opening.refusal} />
          <ActionIcon aria-label="Close" onClick={dismissOpening}>
            <IconX size={14} />
          </ActionIcon>
        </div>
      );
  }
  opening satisfies never;
}

function Uploading({ opening }: { opening: Extract<Opening, { state: 'uploading' }> }) {
  const { name, sent, total, since, cancel } = opening;
  const share = total === 0 ? 1 : sent / total;
  const seconds = (Date.now() - since) / 1000;
  const left =
    share > 0.02 && seconds > 3 ? `${roughDuration((seconds * (1 - share)) / share)} left` : 'finding out how long';
  return (
    <div className={look.line} role="status">
      <span>
        Uploading <b>{name}</b>, {bytes(sent)} of {bytes(total)}
      </span>
      <ProgressBar share={share} label={`Uploading ${name}`} width={190} />
      <span>{percent(share, 0)}</span>
      <span className={look.quiet}>{left}</span>
      <Button size="compact-xs" onClick={cancel}>
        Cancel
      </Button>
    </div>
  );
}

function Large({ opening }: { opening: Extract<Opening, { state: 'large' }> }) {
  const { dropped } = useOpening();
  return (
    <div className={look.line} role="status">
      <span>
        <b>{opening.dropped.name}</b> has {bytes(opening.bytes)}. Opening its path on this machine copies nothing.
      </span>
      <Button
        size="compact-xs"
        variant="filled"
        onClick={() => {
          dismissOpening();
          openFolderBrowser(opening.as);
        }}
      >
        Open a path on this machine
      </Button>
      <Button size="compact-xs" onClick={() => void dropped(opening.dropped, { evenLarge: true, as: opening.as })}>
        Upload all the same
      </Button>
      <ActionIcon aria-label="Close" onClick={dismissOpening}>
        <IconX size={14} />
      </ActionIcon>
    </div>
  );
}

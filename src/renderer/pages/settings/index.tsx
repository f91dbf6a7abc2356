// Settings: colour scheme, keys, and what the workspace holds.
import { Switch, useMantineColorScheme } from '@mantine/core';
import { useState } from 'react';
import { bytes } from '../../format';
import { keepSetting } from '../../kept-settings';
import { singleKeys } from '../../keys';
import { useUsage } from '../../live';
import { Panel } from '../../parts/panel';
import { Segmented } from '../../parts/segmented';
import { useHostInfo } from '../../queries';
import look from './settings.module.css';

const schemes = [
  { value: 'auto', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
] as const;

export default function SettingsPage() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [keys, setKeys] = useState(singleKeys.get);
  const info = useHostInfo().data;
  const usage = useUsage(false);
  return (
    <>
      <h1 className="sr">Settings</h1>
      <div className={look.columns}>
        <Panel title="Appearance and keys" padded>
          <div className={look.row}>
            <span>Colours</span>
            <Segmented
              label="Colour scheme"
              segments={schemes}
              value={colorScheme}
              onChange={(scheme) => {
                setColorScheme(scheme);
                keepSetting('scheme', scheme);
              }}
            />
          </div>
          <div className={look.row}>
            <span>
              Single keys
              <small>G, T, / and ? act outside text fields. Chords with Ctrl or ⌘ always act.</small>
            </span>
            <Switch
              aria-label="Single keys"
              checked={keys}
              onChange={(event) => {
                singleKeys.set(event.currentTarget.checked);
                setKeys(event.currentTarget.checked);
                keepSetting('single-keys', event.currentTarget.checked ? 'on' : 'off');
              }}
            />
          </div>
        </Panel>
        <Panel title="Storage" clause={info?.workspace} padded>
          <dl className={look.list}>
            <dt>Library</dt>
            <dd>{usage ? bytes(usage.libraryBytes) : ''}</dd>
            <dt>Only old runs use</dt>
            <dd>{usage ? bytes(usage.sweepableBytes) : ''}</dd>
            <dt>Free on this disk</dt>
            <dd>{info ? bytes(info.freeDiskBytes) : ''}</dd>
          </dl>
        </Panel>
        <Panel title="This workbench" padded>
          <dl className={look.list}>
            <dt>Lathe</dt>
            <dd>{info?.version}</dd>
            <dt>Runtime</dt>
            <dd>{info ? `onnxruntime ${info.machine.onnxruntime}` : ''}</dd>
            <dt>Node</dt>
            <dd>{info?.machine.node}</dd>
            <dt>System</dt>
            <dd>{info ? `${info.machine.platform} ${info.machine.arch}` : ''}</dd>
          </dl>
        </Panel>
      </div>
    </>
  );
}

// The bundle: what goes into it, where it goes, and the proof once it is written.
import { Button, Checkbox, TextInput } from '@mantine/core';
import { IconFolderOpen, IconPackageExport, IconShieldCheck } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Device } from '../../../contract/words/device';
import type { LibraryModel } from '../../../contract/words/model';
import { api, orpc, refusalOf } from '../../api';
import { bytes, plural } from '../../format';
import { Card, RefusalCard } from '../../parts/card';
import { Panel } from '../../parts/panel';
import { Status } from '../../parts/status';
import { useHostInfo } from '../../queries';
import look from './deploy.module.css';

export function ExportPanel({ model, device }: { model: LibraryModel; device: Device }) {
  const info = useHostInfo().data;
  const parts = useQuery(orpc.bundles.parts.queryOptions({ input: { modelId: model.id, deviceId: device.id } }));
  const [typed, setTyped] = useState<string | null>(null);
  const [zip, setZip] = useState(false);
  const verify = useMutation(orpc.bundles.verify.mutationOptions());
  const write = useMutation(
    orpc.bundles.export.mutationOptions({ onSuccess: ({ bundle }) => verify.mutate({ path: bundle.path }) }),
  );
  const out = typed ?? parts.data?.suggestedPath ?? '';
  const choose = async () => {
    const { path } = await api.host.pick({ what: 'save-folder', suggested: out });
    if (path) setTyped(path);
  };
  const refusal = write.error ?? verify.error ?? parts.error;
  return (
    <Panel title="The bundle" clause={parts.data ? `${bytes(parts.data.bytes)}, predicted` : ''} padded scroll>
      <ul className={look.contents}>
        {(parts.data?.parts ?? []).map((part) => (
          <li key={part.name}>
            <span>{part.name}</span>
            <span>{bytes(part.bytes)}</span>
          </li>
        ))}
      </ul>
      <div className={look.where}>
        <TextInput
          label="Folder, made new"
          value={out}
          onChange={(event) => setTyped(event.currentTarget.value)}
          classNames={{ input: 'mono' }}
          style={{ flex: 1 }}
        />
        {info?.dialogs ? (
          <Button leftSection={<IconFolderOpen size={16} />} onClick={() => void choose()}>
            Choose
          </Button>
        ) : null}
      </div>
      <Checkbox
        size="xs"
        label="Also as one zip"
        checked={zip}
        onChange={(event) => setZip(event.currentTarget.checked)}
      />
      <div className={look.exportActions}>
        <Button
          variant="filled"
          size="md"
          leftSection={<IconPackageExport size={16} />}
          loading={write.isPending}
          disabled={!out || parts.isPending}
          onClick={() => {
            verify.reset();
            write.mutate({ modelId: model.id, deviceId: device.id, out, zip });
          }}
        >
          Export for {device.title}
        </Button>
        {write.data ? (
          <Button
            leftSection={<IconShieldCheck size={16} />}
            loading={verify.isPending}
            onClick={() => verify.mutate({ path: write.data.bundle.path })}
          >
            Verify again
          </Button>
        ) : null}
      </div>
      {refusal ? <RefusalCard refusal={refusalOf(refusal)} /> : null}
      {write.data ? (
        <Card tone="good" title={`Written: ${plural(write.data.bundle.files.length, 'file')}.`}>
          <span className="mono">{write.data.bundle.path}</span>
          {write.data.bundle.zip ? (
            <p>
              As a zip {bytes(write.data.bundle.zip.bytes)} of{' '}
              {bytes(write.data.bundle.files.reduce((sum, file) => sum + file.bytes, 0))}: the folder, and the memory it
              takes when it runs, stay as they are.
            </p>
          ) : null}
        </Card>
      ) : null}
      {verify.data ? (
        <section className={look.checks} aria-label="Checks of the bundle">
          <h3>
            {verify.data.ok
              ? `Verified: ${verify.data.checks.length} of ${verify.data.checks.length} checks hold.`
              : `${verify.data.checks.filter((check) => !check.ok).length} of ${verify.data.checks.length} checks fail.`}
          </h3>
          <ul>
            {verify.data.checks.map((check) => (
              <li key={check.name}>
                <Status tone={check.ok ? 'good' : 'bad'}>{check.name}</Status>
                <span>{check.detail}</span>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </Panel>
  );
}

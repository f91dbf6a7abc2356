// The datasets: what quality is measured on.
import { ActionIcon, Button, Menu } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import type { LibraryDataset } from '../../../contract/words/dataset';
import { useAddress } from '../../address';
import { api, orpc } from '../../api';
import { readChosen } from '../../dropped';
import { count, plural } from '../../format';
import { useOpening } from '../../opening';
import { EmptyState } from '../../parts/empty-state';
import { Panel } from '../../parts/panel';
import { useChosenDataset, useDatasets, useHostInfo } from '../../queries';
import { datasetIcon } from '../../shell/chips';
import { openFolderBrowser } from '../../shell/folder-browser-state';
import look from './library.module.css';

/** *60,000 images · 10 classes · IDX* */
function factsOf({ summary, origin }: LibraryDataset): string {
  // Calibration samples that were not set apart are those of train or test again.
  const samples = summary.splits
    .filter((split) => split.name !== 'calibration' || summary.spec.splits.calibration)
    .reduce((sum, split) => sum + split.samples, 0);
  const labelled = summary.splits.some((split) => split.labelled);
  return [
    origin === 'sample' ? 'sample' : null,
    plural(samples, 'sample'),
    labelled ? (summary.classes === null ? null : `${count(summary.classes)} classes`) : 'no labels',
    summary.kind,
  ]
    .filter(Boolean)
    .join(' · ');
}

export function DatasetsPanel() {
  const datasets = useDatasets().data ?? [];
  return (
    <Panel title="Datasets" style={{ flex: '0 1 auto' }} scroll tools={<Add />}>
      {datasets.length === 0 ? (
        <EmptyState title="No datasets yet.">
          A dataset.json, a folder of images, IDX, CIFAR binaries, NumPy or CSV files.
        </EmptyState>
      ) : (
        <ul className={look.list}>
          {datasets.map((dataset) => (
            <DatasetRow key={dataset.id} dataset={dataset} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function DatasetRow({ dataset }: { dataset: LibraryDataset }) {
  const client = useQueryClient();
  const { set } = useAddress();
  const chosen = useChosenDataset()?.id === dataset.id;
  const Icon = datasetIcon(dataset);
  const forget = async () => {
    await api.datasets.forget({ id: dataset.id });
    client.setQueryData<LibraryDataset[]>(orpc.datasets.list.queryKey(), (rows) =>
      rows?.filter((row) => row.id !== dataset.id),
    );
  };
  return (
    <li className={look.item} data-chosen={chosen || undefined}>
      <Icon size={18} aria-hidden="true" />
      <button
        type="button"
        className={look.words}
        aria-pressed={chosen}
        onClick={() => set({ data: chosen ? null : dataset.id }, { replace: true })}
      >
        <b>{dataset.summary.name}</b>
        <span>{factsOf(dataset)}</span>
        {dataset.summary.notes.map((note) => (
          <span key={note} className={look.noted}>
            {note}
          </span>
        ))}
      </button>
      <ActionIcon
        className={look.forget}
        aria-label={`Take ${dataset.summary.name} off the list; its files stay`}
        onClick={() => void forget()}
      >
        <IconX size={14} />
      </ActionIcon>
    </li>
  );
}

function Add() {
  const opening = useOpening();
  const dialogs = useHostInfo().data?.dialogs ?? false;
  const files = useRef<HTMLInputElement>(null);
  const button = (
    <Button
      size="compact-xs"
      variant="subtle"
      leftSection={<IconPlus size={14} />}
      onClick={dialogs ? () => void opening.pick('dataset') : undefined}
    >
      Add
    </Button>
  );
  if (dialogs) return button;
  return (
    <>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Dataset files"
        onChange={(event) => {
          const chosen = readChosen(event.currentTarget.files ?? []);
          event.currentTarget.value = '';
          if (chosen) void opening.dropped(chosen, { as: 'dataset' });
        }}
      />
      <Menu>
        <Menu.Target>{button}</Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => files.current?.click()}>Files, uploaded</Menu.Item>
          <Menu.Item onClick={() => openFolderBrowser('dataset')}>A path on this machine, nothing copied</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

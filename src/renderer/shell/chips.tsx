// Chips of the context bar: the dataset that is measured on, and the device that is meant.
import { Menu } from '@mantine/core';
import { IconCpu, IconDatabase, IconFileText, IconPhoto } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { LibraryDataset } from '../../contract/words/dataset';
import { useAddress } from '../address';
import { useChosenDataset, useChosenDevice, useDatasets, useDevices } from '../queries';
import look from './chips.module.css';

export const datasetIcon = (dataset: LibraryDataset | null) =>
  dataset?.summary.task === 'language-modelling' ? IconFileText : dataset ? IconPhoto : IconDatabase;

const Chip = ({ icon, children, label }: { icon: ReactNode; children: ReactNode; label: string }) => (
  <Menu.Target>
    <button type="button" className={look.chip} aria-label={label}>
      {icon}
      <b>{children}</b>
    </button>
  </Menu.Target>
);

export function DatasetChip() {
  const { set } = useAddress();
  const chosen = useChosenDataset();
  const datasets = useDatasets().data ?? [];
  const Icon = datasetIcon(chosen);
  return (
    <Menu>
      <Chip icon={<Icon size={14} aria-hidden="true" />} label={`Dataset: ${chosen?.summary.name ?? 'none'}`}>
        {chosen?.summary.name ?? 'No dataset'}
      </Chip>
      <Menu.Dropdown>
        <Menu.Label>Measure on</Menu.Label>
        {datasets.map((dataset) => (
          <Menu.Item
            key={dataset.id}
            onClick={() => set({ data: dataset.id })}
            aria-current={dataset.id === chosen?.id}
          >
            {dataset.summary.name}
          </Menu.Item>
        ))}
        {datasets.length === 0 ? <Menu.Label>Add one on the Library page.</Menu.Label> : null}
      </Menu.Dropdown>
    </Menu>
  );
}

export function DeviceChip() {
  const { set } = useAddress();
  const chosen = useChosenDevice();
  const devices = useDevices().data ?? [];
  return (
    <Menu>
      <Chip icon={<IconCpu size={14} aria-hidden="true" />} label={`Device: ${chosen?.title ?? 'none'}`}>
        {chosen?.title ?? 'No device'}
      </Chip>
      <Menu.Dropdown>
        <Menu.Label>Meant for</Menu.Label>
        {devices.map((device) => (
          <Menu.Item key={device.id} onClick={() => set({ device: device.id })} aria-current={device.id === chosen?.id}>
            {device.title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

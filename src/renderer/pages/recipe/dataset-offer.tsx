// Where a dataset is missing: a link that offers those of the library, or the way there.
import { Menu } from '@mantine/core';
import { useAddress } from '../../address';
import { TextAction } from '../../parts/text-action';
import action from '../../parts/text-action.module.css';
import { useDatasets } from '../../queries';

interface OfferProps {
  /** Of the link, where the library has any. */
  label?: string;
  /** What it is for. */
  verb: string;
}

export function DatasetOffer({ label = 'Choose a dataset', verb }: OfferProps) {
  const { set, to } = useAddress();
  const datasets = useDatasets().data ?? [];
  if (datasets.length === 0)
    return (
      <>
        <TextAction href={to('/')}>Add a dataset</TextAction> {verb}
      </>
    );
  return (
    <>
      <Menu>
        <Menu.Target>
          <button type="button" className={action.action}>
            {label}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {datasets.map((dataset) => (
            <Menu.Item key={dataset.id} onClick={() => set({ data: dataset.id })}>
              {dataset.summary.name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>{' '}
      {verb}
    </>
  );
}

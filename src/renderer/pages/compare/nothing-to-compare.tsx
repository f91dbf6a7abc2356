// Where no run was measured: what there is, and the next thing to do about it.
import { Button } from '@mantine/core';
import type { LibraryDataset } from '../../../contract/words/dataset';
import type { LibraryModel } from '../../../contract/words/model';
import { useAddress } from '../../address';
import { Cut } from '../../cut/cut';
import { cutOfModel, stockOf } from '../../cut/layers';
import { plural } from '../../format';
import { EmptyState } from '../../parts/empty-state';
import { DatasetOffer } from '../recipe/dataset-offer';
import type { Comparison } from './points';

interface NothingProps {
  parent: LibraryModel;
  dataset: LibraryDataset | null;
  left: Comparison['left'];
}

export function NothingToCompare({ parent, dataset, left }: NothingProps) {
  const { go } = useAddress();
  return (
    <EmptyState
      picture={<Cut size="panel" layers={cutOfModel(parent.layers)} stock={stockOf(parent.layers)} />}
      title={title(parent, dataset, left)}
      actions={
        <Button variant="filled" onClick={() => go('/recipe', { model: parent.id })}>
          Write a recipe
        </Button>
      }
    >
      {dataset ? (
        'Run a recipe, and it stands here beside its parent.'
      ) : (
        <>
          Quality is measured on the very file that will be exported. <DatasetOffer verb="first, then run a recipe." />
        </>
      )}
    </EmptyState>
  );
}

function title(
  parent: LibraryModel,
  dataset: LibraryDataset | null,
  { unmeasured, elsewhere, stopped }: Comparison['left'],
) {
  if (elsewhere > 0)
    return `${plural(elsewhere, 'run')} of ${parent.name} ${elsewhere === 1 ? 'was' : 'were'} measured on other data${dataset ? `, none on ${dataset.summary.name}` : ''}.`;
  if (unmeasured > 0) return `${plural(unmeasured, 'run')} of ${parent.name} ended, none measured on a dataset.`;
  if (stopped > 0) return `${plural(stopped, 'run')} of ${parent.name} left no result.`;
  return `${parent.name} has no run to compare yet.`;
}

// The Recipe page: steps and their dials, the bits of every layer, and the selected layer under the dial.
import { Button } from '@mantine/core';
import { useAddress } from '../../address';
import { EmptyState } from '../../parts/empty-state';
import { useOpenModel } from '../../queries';
import { Editor } from './editor';

export default function RecipePage() {
  const model = useOpenModel();
  const { go } = useAddress();
  if (!model)
    return (
      <EmptyState
        title="No model is open."
        actions={
          <Button variant="filled" onClick={() => go('/')}>
            Open a model
          </Button>
        }
      >
        A recipe is written for a model: drop one in, or choose one in the Library.
      </EmptyState>
    );
  return <Editor key={model.id} model={model} />;
}

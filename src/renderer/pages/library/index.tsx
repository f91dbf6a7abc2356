// Library: drop a model in, come back to one, see what this machine and the datasets are.
import { Split } from '../../parts/split';
import { useModels } from '../../queries';
import { useLow } from '../../window-size';
import { DatasetsPanel } from './datasets-panel';
import { DropArea } from './drop-area';
import { LatelyPanel } from './lately-panel';
import { MachinePanel } from './machine-panel';
import { ModelsPanel } from './models-panel';

export default function LibraryPage() {
  const low = useLow();
  const any = (useModels().data?.length ?? 0) > 0;
  return (
    <>
      <h1 className="sr">Library</h1>
      <Split
        id="library"
        fixed="end"
        size={336}
        min={{ start: 560, end: 260 }}
        start={
          <>
            <DropArea small={low && any} />
            <ModelsPanel />
          </>
        }
        end={
          <>
            <MachinePanel />
            <DatasetsPanel />
            <LatelyPanel />
          </>
        }
      />
    </>
  );
}

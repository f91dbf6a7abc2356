// Library: drop a model in, come back to one, see what this machine and the datasets are.
import { Split } from '../../parts/split';
import { useModels } from '../../queries';
import { useLow, useNarrow } from '../../window-size';
import { DatasetsPanel } from './datasets-panel';
import { DropArea } from './drop-area';
import { LatelyPanel } from './lately-panel';
import { MachinePanel } from './machine-panel';
import { ModelsPanel } from './models-panel';

export default function LibraryPage() {
  const low = useLow();
  const narrow = useNarrow();
  const any = (useModels().data?.length ?? 0) > 0;
  return (
    <>
      <h1 className="sr">Library</h1>
      <Split
        key={narrow ? 'narrow' : 'wide'}
        id={narrow ? 'library.narrow' : 'library'}
        fixed="end"
        size={narrow ? 260 : 336}
        min={{ start: 520, end: 240 }}
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

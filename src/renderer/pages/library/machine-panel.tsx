// This machine: what is known of it. Nothing is shown that was not asked of it.
import { roughBytes } from '../../format';
import { Panel } from '../../parts/panel';
import { useHostInfo } from '../../queries';
import look from './library.module.css';

export function MachinePanel() {
  const info = useHostInfo().data;
  return (
    <Panel title="This machine" style={{ flex: 'none' }}>
      <div className={look.machine}>
        {info ? (
          <>
            <b>
              {info.machine.cpu}, {info.machine.cores} cores
            </b>
            <dl>
              <dt>Memory free</dt>
              <dd>
                {roughBytes(info.freeMemoryBytes, 3)} of {roughBytes(info.machine.memoryBytes, 3)}
              </dd>
              <dt>Disk free</dt>
              <dd>{roughBytes(info.freeDiskBytes, 3)}</dd>
              <dt>Runtime</dt>
              <dd>onnxruntime {info.machine.onnxruntime}</dd>
            </dl>
          </>
        ) : null}
      </div>
    </Panel>
  );
}

// The model as a whole, while no layer is selected: what goes in and out, what it is made of, what was noticed.
import type { LibraryModel, Port } from '../../../contract/words/model';
import { bytes, compact, count, percent, plural } from '../../format';
import { formatName } from '../../model-words';
import { Card } from '../../parts/card';
import { Fact, Facts } from '../../parts/fact';
import { Panel } from '../../parts/panel';
import { ProgressBar } from '../../parts/progress';
import look from './inspect.module.css';

const portShape = (port: Port): string => port.shape.map((dim) => dim ?? '?').join('×') || 'scalar';

const Ports = ({ title, ports }: { title: string; ports: readonly Port[] }) => (
  <section>
    <div className={look.head}>
      <b>{title}</b>
      <span>{ports.length > 1 ? ports.length : ''}</span>
    </div>
    <table className={look.ports}>
      <tbody>
        {ports.map((port) => (
          <tr key={port.name}>
            <th scope="row" className="mono">
              {port.name}
            </th>
            <td>{port.dtype}</td>
            <td className="mono">{portShape(port)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

export function ModelPanel({ model }: { model: LibraryModel }) {
  const { summary } = model;
  return (
    <Panel title={model.name} clause="the whole model; choose a layer to look closer" scroll style={{ flex: 1 }}>
      <div className={look.layer}>
        {model.refusal ? (
          <Card title={model.refusal.sentence} tone="warn">
            {model.refusal.mend}
          </Card>
        ) : null}
        <Facts columns={3}>
          <Fact label="Format">{formatName(summary.format)}</Fact>
          <Fact label="Opset">{summary.opset ?? 'none'}</Fact>
          <Fact label="Layers">{count(model.layers.length)}</Fact>
          <Fact label="Parameters">{compact(summary.parameters)}</Fact>
          <Fact label="On disk">{bytes(summary.bytes)}</Fact>
          <Fact label="Constants">{bytes(summary.constantBytes)}</Fact>
        </Facts>
        {model.notes.length > 0 ? (
          <section>
            <div className={look.head}>
              <b>Noticed while reading</b>
            </div>
            {model.notes.map((note) => (
              <p key={note} className={look.note}>
                {note}
              </p>
            ))}
          </section>
        ) : null}
        <Ports title="Inputs" ports={summary.inputs} />
        <Ports title="Outputs" ports={summary.outputs} />
        <section>
          <div className={look.head}>
            <b>Operators</b>
            <span>
              {plural(
                model.operators.reduce((sum, each) => sum + each.count, 0),
                'node',
              )}
            </span>
          </div>
          <p className={look.operators}>
            {model.operators.map(({ op, count: n }) => (
              <span key={op}>
                {op} <b>{count(n)}</b>
              </span>
            ))}
          </p>
        </section>
        <section>
          <div className={look.head}>
            <b>SHA-256</b>
            <span>{summary.sha256 ? '' : percent(model.hashed, 0)}</span>
          </div>
          {summary.sha256 ? (
            <p className={`${look.hash} mono`}>{summary.sha256}</p>
          ) : (
            <ProgressBar share={model.hashed} label="Reading the file for its SHA-256" />
          )}
        </section>
        <section>
          <div className={look.head}>
            <b>{model.origin === 'referenced' ? 'Read where it is, never changed' : 'Kept in the library'}</b>
          </div>
          <p className={`${look.hash} mono`}>{summary.path}</p>
        </section>
      </div>
    </Panel>
  );
}

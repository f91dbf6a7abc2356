// A run under way: the cut being turned, and how far the stage has come in the model's own terms.
import type { ReactNode } from 'react';
import type { LibraryModel } from '../../../contract/words/model';
import type { RunRow } from '../../../contract/words/run';
import { cutOfModel, stockOf } from '../../cut/layers';
import { count, duration, percent } from '../../format';
import { useNow } from '../../live';
import { Fact, Facts } from '../../parts/fact';
import { Panel } from '../../parts/panel';
import { ProgressBar } from '../../parts/progress';
import { useLow } from '../../window-size';
import look from './detail.module.css';
import { useRecipeCut } from './recipe-cut';
import { turnedLayers } from './run-stages';
import { WideCut } from './wide-cut';
import { secondsOf, stageName } from './words';

interface TurningPanelProps {
  row: RunRow;
  model: LibraryModel | null;
  tools?: ReactNode;
}

export function TurningPanel({ row, model, tools }: TurningPanelProps) {
  const now = useNow(1000);
  const low = useLow();
  const progress = row.progress;
  const turning = row.kind !== 'evaluate';
  const planned = useRecipeCut(row, model);
  const seconds = secondsOf(row, now);
  return (
    <Panel
      title={turning ? 'The cut, being turned' : 'Measured as it is'}
      clause={turning ? 'hatched: removed so far' : ''}
      tools={tools}
      padded
    >
      {model ? (
        <WideCut
          layers={planned ?? cutOfModel(model.layers)}
          stock={stockOf(model.layers)}
          height={low ? 88 : 168}
          {...(turning ? { turned: turnedLayers(row, model.layers.length) } : {})}
        />
      ) : null}
      <div className={look.stage}>
        <div className={look.stageWords}>
          <span>
            <b>{progress ? stageName(progress.stage) : 'Start'}</b>
            {progress && progress.total > 1 ? `, ${count(progress.done)} of ${count(progress.total)}` : ''}
          </span>
          <span>{progress && progress.total > 0 ? percent(progress.done / progress.total, 0) : ''}</span>
        </div>
        <ProgressBar
          label={progress ? stageName(progress.stage) : 'Start'}
          share={progress && progress.total > 0 ? progress.done / progress.total : null}
        />
      </div>
      <Facts columns={3}>
        <Fact label="The whole run">{percent(progress?.share ?? 0, 0)}</Fact>
        <Fact label="So far">{seconds === null ? '' : duration(seconds)}</Fact>
        <Fact label="Measured on">{row.dataset ?? 'no dataset'}</Fact>
      </Facts>
    </Panel>
  );
}

// A training on the Runs page: its picture, live or from the document, and how it ended in words.
import { type ReactNode, useState } from 'react';
import type { MethodCard } from '../../../contract/words/method';
import type { RunRow } from '../../../contract/words/run';
import { Chart } from '../../charts/chart';
import { count, plural, short } from '../../format';
import { Panel } from '../../parts/panel';
import { Segmented } from '../../parts/segmented';
import { settingOf } from '../recipe/document';
import type { Learning } from './learning';
import look from './learning.module.css';
import { LearningDrawing } from './learning-drawing';
import { stepsOf } from './learning-geometry';
import { endingWords, learningSummary, lossText } from './learning-words';

interface LearningPanelProps {
  row: RunRow;
  learnings: readonly Learning[];
  cards: readonly MethodCard[];
  /** Its last training goes on. */
  live: boolean;
  tools?: ReactNode;
}

export function LearningPanel({ row, learnings, cards, live, tools }: LearningPanelProps) {
  const [chosen, setChosen] = useState<number | null>(null);
  const at = Math.min(chosen ?? learnings.length - 1, learnings.length - 1);
  const learning = learnings[at];
  if (!learning) return null;
  const goesOn = live && at === learnings.length - 1;
  return (
    <Panel
      title="Learning"
      clause={goesOn ? patienceWords(row, cards) : (learning.record?.title ?? '')}
      tools={
        <>
          {learnings.length > 1 ? (
            <Segmented<number>
              label="Training"
              segments={learnings.map((_, i) => ({ value: i, label: String(i + 1), name: `Training ${i + 1}` }))}
              value={at}
              onChange={setChosen}
            />
          ) : null}
          {tools}
        </>
      }
    >
      <div className={look.body}>
        <Chart
          summary={`${learningSummary(learning)} The arrow keys walk its points; T shows them as a table.`}
          table={() => tableOf(learning)}
        >
          {(width, height) => <LearningDrawing learning={learning} live={goesOn} width={width} height={height} />}
        </Chart>
      </div>
      {learning.record ? <p className={look.ending}>{endingWords(learning.record)}</p> : null}
    </Panel>
  );
}

function tableOf(learning: Learning) {
  const at = (points: Learning['train'], step: number) => points.find((point) => point.step === step);
  return {
    heads: ['Step', 'Validation loss', 'Training loss', 'Learning rate'],
    rows: stepsOf(learning).map((step) => {
      const judged = at(learning.validation, step);
      const train = at(learning.train, step);
      const rate = at(learning.rate, step);
      return [
        count(step),
        judged ? `${lossText(judged.value)}${judged.band ? ` ±${lossText(judged.band)}` : ''}` : '',
        train ? lossText(train.value) : '',
        rate ? short(rate.value) : '',
      ];
    }),
  };
}

/** *Ends early after 5 judgements without gain*, where every step that trains agrees. */
function patienceWords({ recipe }: RunRow, cards: readonly MethodCard[]): string {
  const said = new Set<number>();
  for (const step of recipe.steps) {
    const patience = cards.find(({ id }) => id === step.method)?.params.find(({ id }) => id === 'patience');
    if (patience) said.add(Number(settingOf(step, patience)));
  }
  const [judgements, ...others] = said;
  if (judgements === undefined || others.length > 0) return '';
  return judgements === 0 ? 'never ends early' : `ends early after ${plural(judgements, 'judgement')} without gain`;
}

// The selected layer under the dial: error of the weights and bytes, the histogram before and after, and the other precisions beside it.
import type { MethodCard, ParameterValue } from '../../../contract/words/method';
import type { Layer } from '../../../contract/words/model';
import type { LayerPlan, Recipe } from '../../../contract/words/recipe';
import { refusalOf } from '../../api';
import { fixed, roughBytes, thin } from '../../format';
import { Card, RefusalCard } from '../../parts/card';
import { EmptyState } from '../../parts/empty-state';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import { PrecisionTag } from '../../parts/precision-tag';
import { useLow } from '../../window-size';
import { parametersFor, touches } from './document';
import { LevelChart } from './level-chart';
import look from './recipe.module.css';
import { type PreviewAsk, useAlternatives, usePreview } from './use-preview';

interface LayerPreviewProps {
  modelId: string;
  layer: Layer | null;
  plan: LayerPlan | undefined;
  recipe: Recipe;
  step: number;
  card: MethodCard | undefined;
  /** The recipe as JSON, at the foot. */
  foot: React.ReactNode;
}

const decibels = (value: number | null) => (value === null ? 'exact' : `${fixed(value, 1)}${thin}dB`);

export function LayerPreview(props: LayerPreviewProps) {
  const { modelId, layer, plan, recipe, step, card, foot } = props;
  if (!layer)
    return (
      <Panel title="No layer selected">
        <EmptyState title="Select a layer to see what the step does to it.">
          A click in the table or in the cut.
        </EmptyState>
        {foot}
      </Panel>
    );
  const current = recipe.steps[step];
  const wanted = current && card && touches(current, layer.name);
  const params = current && card ? parametersFor(current, card, layer.name) : {};
  return (
    <Panel
      mono
      style={{ flex: 1 }}
      title={layer.name}
      clause={layer.op}
      tools={
        <PrecisionTag
          bits={plan?.methods.length ? plan.bitsAfter : layer.bits}
          dtype={plan?.methods.length ? '' : layer.dtype}
        />
      }
      scroll
    >
      {wanted ? (
        <Shown modelId={modelId} layer={layer} card={card} params={params} plan={plan} />
      ) : (
        <div className={look.padded}>
          <Card tone="good" title={card ? `${card.title} leaves this layer as it is.` : 'No step is open.'}>
            {card ? 'The recipe excludes it.' : 'Open a step to see what it does to this layer.'}
          </Card>
        </div>
      )}
      {foot}
    </Panel>
  );
}

interface ShownProps {
  modelId: string;
  layer: Layer;
  card: MethodCard;
  params: Record<string, ParameterValue>;
  plan: LayerPlan | undefined;
}

function Shown({ modelId, layer, card, params, plan }: ShownProps) {
  const low = useLow();
  const ask = { modelId, layer: layer.name, method: card.id, params };
  const { data, error, isPlaceholderData } = usePreview(ask);
  // A replaced preview is no refusal: what the forecast knows of the layer still holds.
  const thrown = error ? refusalOf(error) : null;
  const refusal = thrown && thrown.code !== 'cancelled' ? thrown : (data?.refusal ?? plan?.refusal ?? null);
  if (refusal)
    return (
      <div className={look.padded}>
        <RefusalCard refusal={refusal} />
      </div>
    );
  const shown = data && data.layer === layer.name ? data : null;
  return (
    <div className={look.preview}>
      <div className={look.previewFigures}>
        <div>
          <span className={look.label}>Error of the weights</span>
          {shown ? (
            <Figure
              kind="measured"
              mark
              size="readout"
              text={decibels(shown.sqnrDb)}
              stale={isPlaceholderData}
              figures={8}
              how={
                shown.sample
                  ? `Signal to noise over ${shown.sample.rows} of ${shown.sample.of} rows; the exact value follows.`
                  : 'Signal to noise of the rounded weights against the layer as it is, over every weight.'
              }
            />
          ) : (
            <Figure kind="unknown" size="readout" word="reading" figures={8} />
          )}
        </div>
        <div>
          <span className={look.label}>This layer</span>
          {shown ? (
            <Figure
              kind="predicted"
              mark
              size="readout"
              text={roughBytes(shown.bytesAfter, 3)}
              stale={isPlaceholderData}
              figures={8}
              how={`Codes, scales and zero points as they will be stored. ${roughBytes(shown.bytesBefore, 3)} now.`}
            />
          ) : null}
        </div>
      </div>
      {shown ? (
        <LevelChart preview={shown} weights={layer.parameters} height={low ? 190 : 244} />
      ) : (
        <div style={{ height: 270 }} />
      )}
      <Alternatives ask={ask} card={card} ready={shown !== null && !isPlaceholderData} />
    </div>
  );
}

/** *If this layer were*: the same settings at the other precisions. */
function Alternatives({ ask, card, ready }: { ask: PreviewAsk; card: MethodCard; ready: boolean }) {
  const bits = card.params.find((each) => each.kind === 'choice' && each.precision);
  const values = bits?.kind === 'choice' ? bits.choices.map((each) => each.value) : [];
  const { data, isPlaceholderData } = useAlternatives(ask, bits?.id ?? '', values, ready && values.length > 1);
  if (!bits || values.length < 2) return null;
  return (
    <table className={look.alternatives}>
      <thead>
        <tr>
          <th scope="col">If this layer were</th>
          <th scope="col">Weights</th>
          <th scope="col">Bytes</th>
        </tr>
      </thead>
      <tbody>
        {values.map((value, at) => {
          const answer = data?.[at];
          const now = ask.params[bits.id] === value;
          return (
            <tr key={String(value)} data-now={now || undefined}>
              <th scope="row">
                <PrecisionTag bits={Number(value)} /> {now ? <small>now</small> : null}
              </th>
              <td>
                {answer && !answer.refusal ? (
                  <Figure
                    kind="measured"
                    size="table"
                    quiet={!now}
                    text={decibels(answer.sqnrDb)}
                    stale={isPlaceholderData}
                  />
                ) : null}
              </td>
              <td>
                {answer && !answer.refusal ? (
                  <Figure
                    kind="predicted"
                    size="table"
                    text={roughBytes(answer.bytesAfter, 3)}
                    stale={isPlaceholderData}
                  />
                ) : null}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

// The selected layer under the dial: error of the weights and bytes, the histogram before and after, other widths to try.
import { type ReactNode, useState } from 'react';
import type { MethodCard, ParameterValue } from '../../../contract/words/method';
import type { Layer } from '../../../contract/words/model';
import type { LayerPlan, Preview, Recipe, Step } from '../../../contract/words/recipe';
import { refusalOf } from '../../api';
import { count, roughBytes, significant } from '../../format';
import { Card, RefusalCard } from '../../parts/card';
import { EmptyState } from '../../parts/empty-state';
import { Figure } from '../../parts/figure';
import { Panel } from '../../parts/panel';
import { PrecisionTag } from '../../parts/precision-tag';
import { Segmented } from '../../parts/segmented';
import { TextAction } from '../../parts/text-action';
import { Alternatives } from './alternatives';
import { bitsParameter, parametersFor, setBits, setTouched } from './document';
import { touches } from './layer-globs';
import { LevelChart } from './level-chart';
import look from './preview.module.css';
import { decibels, usePreview } from './use-preview';

interface LayerPreviewProps {
  modelId: string;
  layer: Layer | null;
  plan: LayerPlan | undefined;
  recipe: Recipe;
  step: number;
  card: MethodCard | undefined;
  onChange(next: Recipe): void;
  /** The recipe as JSON, at the foot. */
  foot: ReactNode;
}

export function LayerPreview(props: LayerPreviewProps) {
  const { modelId, layer, plan, recipe, step, card, onChange, foot } = props;
  const [trial, setTrial] = useState<{ layer: string; bits: number } | null>(null);
  if (!layer)
    return (
      <Panel title="No layer selected" style={{ flex: 1 }}>
        <EmptyState title="Select a layer to see what the step does to it.">
          A click in the table or in the cut.
        </EmptyState>
        {foot}
      </Panel>
    );
  const current = recipe.steps[step];
  const taken = current !== undefined && card !== undefined && touches(current, layer.name);
  const params = current && card ? parametersFor(current, card, layer.name) : {};
  const bits = bitsParameter(card);
  const says = bits ? Number(params[bits.id]) : null;
  const tried = trial?.layer === layer.name && taken ? trial.bits : says;
  const trying = bits && tried !== null && tried !== says ? { ...params, [bits.id]: tried } : null;
  return (
    <Panel
      mono
      style={{ flex: 1 }}
      title={layer.name}
      clause={
        <PrecisionTag
          bits={plan?.methods.length ? plan.bitsAfter : layer.bits}
          dtype={plan?.methods.length ? '' : layer.dtype}
        />
      }
      tools={
        bits && taken ? (
          <>
            <span className={look.label}>Try</span>
            <Segmented
              label="Try this layer in"
              precision
              segments={bits.choices.map((each) => ({
                value: Number(each.value),
                label: each.label,
                name: `${each.label} bits`,
              }))}
              value={tried}
              onChange={(value) => setTrial({ layer: layer.name, bits: value })}
            />
          </>
        ) : null
      }
    >
      <div className={look.preview}>
        {taken ? (
          <Shown
            modelId={modelId}
            layer={layer}
            card={card}
            params={params}
            before={recipe.steps.slice(0, step)}
            trying={trying}
            plan={plan}
          >
            {trying && bits && tried !== null ? (
              <p className={look.trying}>
                Trying {tried} bits; the recipe says {says}.{' '}
                <TextAction onClick={() => onChange(setBits(recipe, step, card, [layer.name], tried))}>
                  Keep this layer in {tried} bits
                </TextAction>
              </p>
            ) : null}
          </Shown>
        ) : (
          <Left layer={layer} card={card} onTake={() => onChange(setTouched(recipe, step, layer.name, true))} />
        )}
      </div>
      {foot}
    </Panel>
  );
}

/** A layer no step asks for. */
function Left({ layer, card, onTake }: { layer: Layer; card: MethodCard | undefined; onTake(): void }) {
  if (!card)
    return (
      <Card tone="good" title="Nothing happens to this layer.">
        The recipe has no step yet.
      </Card>
    );
  return (
    <Card
      tone="good"
      title={`${card.title} leaves ${layer.name} as it is.`}
      mend={{ label: 'Take it in', act: onTake }}
    >
      The recipe leaves it out.
    </Card>
  );
}

interface ShownProps {
  modelId: string;
  layer: Layer;
  card: MethodCard;
  params: Record<string, ParameterValue>;
  before: Step[];
  /** The parameters tried instead, which the recipe does not have. */
  trying: Record<string, ParameterValue> | null;
  plan: LayerPlan | undefined;
  children: ReactNode;
}

function Shown({ modelId, layer, card, params, before, trying, plan, children }: ShownProps) {
  const ask = { modelId, layer: layer.name, method: card.id, params, before };
  const { data, error, isPlaceholderData, follows } = usePreview(trying ? { ...ask, params: trying } : ask);
  // A replaced preview is no refusal: what the forecast knows of the layer still holds.
  const thrown = error ? refusalOf(error) : null;
  const own = data && data.layer === layer.name ? data : null;
  const refusal = thrown && thrown.code !== 'cancelled' ? thrown : (own?.refusal ?? plan?.refusal ?? null);
  if (refusal) return <RefusalCard refusal={refusal} />;
  // What is not yet recomputed shows its last value, in place.
  const shown = data?.refusal ? null : (data ?? null);
  const stale = isPlaceholderData || own === null;
  return (
    <>
      <div className={look.figures}>
        <div>
          <span className={look.label}>Error of the weights</span>
          {shown ? (
            <ErrorFigure preview={shown} stale={stale} prepares={card.family === 'precondition'} />
          ) : (
            <Figure kind="unknown" size="readout" word="reading" figures={8} />
          )}
        </div>
        <div>
          <span className={look.label}>A weight</span>
          {shown ? (
            <Figure
              kind="predicted"
              mark
              size="readout"
              text={`${significant((shown.bytesAfter * 8) / Math.max(1, layer.parameters), 3)} bits`}
              stale={stale}
              figures={7}
              how="Codes with their share of scales and zero points."
            />
          ) : null}
        </div>
        <div>
          <span className={look.label}>This layer</span>
          {shown ? (
            <Figure
              kind="predicted"
              mark
              size="readout"
              text={roughBytes(shown.bytesAfter, 3)}
              stale={stale}
              figures={7}
              how={`Codes, scales and zero points as they will be stored. ${roughBytes(shown.bytesBefore, 3)} now.`}
            />
          ) : null}
        </div>
      </div>
      {shown ? (
        <LevelChart preview={shown} weights={layer.parameters} stale={stale} follows={follows} />
      ) : (
        <div className={look.chart} />
      )}
      {(shown?.notes ?? []).map((note) => (
        <p key={note} className={look.trying}>
          {note}
        </p>
      ))}
      {children}
      <Alternatives ask={ask} card={card} ready={own !== null && !isPlaceholderData && !follows} />
    </>
  );
}

/** Measured on the weights; predicted where a simpler rounding stands for one that needs data. */
function ErrorFigure({ preview, stale, prepares }: { preview: Preview; stale: boolean; prepares: boolean }) {
  const { sample, sqnrDb, estimate } = preview;
  const shape = { size: 'readout', stale, figures: 8, mark: true } as const;
  if (prepares) return <Figure kind="measured" {...shape} text="none" how="Nothing is rounded by this step." />;
  const over = sample
    ? `over ${count(sample.rows)} of ${count(sample.of)} rows; the exact value follows when the dial rests.`
    : 'over every weight.';
  if (estimate && sqnrDb !== null)
    return (
      <Figure
        kind="predicted"
        {...shape}
        text={decibels(sqnrDb)}
        how={`Of rounding to nearest on the same grid, ${over}`}
      />
    );
  return (
    <Figure
      kind="measured"
      {...shape}
      text={decibels(sqnrDb)}
      how={`Signal to noise of the rounded weights against the layer as it is, ${over}`}
    />
  );
}

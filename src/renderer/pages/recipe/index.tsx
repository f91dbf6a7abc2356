// The Recipe page: steps and their dials, the bits of every layer, and the selected layer under the dial.
import { useMutation } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import type { LibraryModel } from '../../../contract/words/model';
import { useActions } from '../../actions';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { bytes, percent, roughBytes, roughDuration } from '../../format';
import { useShortcut } from '../../keys';
import { Card, RefusalCard } from '../../parts/card';
import { EmptyState } from '../../parts/empty-state';
import { Figure } from '../../parts/figure';
import { Arrow } from '../../parts/glyphs';
import { Panel } from '../../parts/panel';
import { Split } from '../../parts/split';
import { useChosenDataset, useMethods, useOpenModel } from '../../queries';
import { touches } from './document';
import { Hero } from './hero';
import { LayerMatrix } from './layer-matrix';
import { LayerPreview } from './layer-preview';
import look from './recipe.module.css';
import { RecipeJson } from './recipe-json';
import { Steps } from './steps';
import { useForecast, useRecipe } from './use-recipe';

export default function RecipePage() {
  const model = useOpenModel();
  if (!model)
    return (
      <EmptyState title="No model is open.">
        A recipe is written for a model: drop one in, or choose one in the Library.
      </EmptyState>
    );
  return <Editor key={model.id} model={model} />;
}

function Editor({ model }: { model: LibraryModel }) {
  const { layers: selected, select, go } = useAddress();
  const dataset = useChosenDataset();
  const cards = useMethods().data ?? [];
  const editing = useRecipe(model.id);
  const { recipe, set } = editing;
  const [open, setOpen] = useState(0);
  const { forecast, refusal, stale } = useForecast(model.id, recipe, dataset?.id ?? null);
  const plans = useMemo(() => new Map((forecast?.layers ?? []).map((plan) => [plan.name, plan])), [forecast]);
  const card = cards.find((each) => each.id === recipe.steps[open]?.method);
  const step = recipe.steps[open];

  // Until a layer is chosen, the largest one the open step touches is looked at.
  const fallback = useMemo(
    () =>
      [...model.layers].sort((a, b) => b.bytes - a.bytes).find((layer) => !step || touches(step, layer.name)) ??
      model.layers[0] ??
      null,
    [model.layers, step],
  );
  const shown = model.layers.find((layer) => layer.name === selected[0]) ?? fallback;
  const chosen = selected.length > 0 ? selected : shown ? [shown.name] : [];

  const start = useMutation(orpc.runs.start.mutationOptions({ onSuccess: ({ id }) => go('/runs', { run: id }) }));
  const { mutate } = start;
  const run = useCallback(
    () => mutate({ modelId: model.id, recipe, ...(dataset ? { datasetId: dataset.id } : {}) }),
    [mutate, model.id, recipe, dataset],
  );
  useShortcut('r', 'Run the recipe', run, Boolean(forecast?.possible));
  useShortcut('mod+z', 'Undo', () => editing.undo?.());
  useShortcut('mod+shift+z', 'Redo', () => editing.redo?.());
  useActions(
    useMemo(
      () => [
        {
          id: 'recipe.run',
          group: 'Actions',
          label: 'Run the recipe',
          ...(forecast ? { detail: `about ${roughDuration(forecast.seconds)}` } : {}),
          keys: 'r',
          run,
        },
      ],
      [forecast, run],
    ),
  );

  const startRefusal = start.error ? refusalOf(start.error) : null;
  const needs = forecast
    ? `About ${roughDuration(forecast.seconds)}, peak ${roughBytes(forecast.peakBytes)}, ${roughBytes(forecast.diskBytes)} of disk`
    : 'The needs of the run are told here.';

  return (
    <div className={look.page}>
      <Hero
        model={model}
        dataset={dataset}
        plans={plans}
        forecast={forecast}
        stale={stale}
        selected={chosen}
        onSelect={select}
        starting={start.isPending}
        onRun={run}
      />
      {startRefusal ? <RefusalCard refusal={startRefusal} /> : null}
      {refusal ? <RefusalCard refusal={refusal} /> : null}
      {forecast && !forecast.possible ? (
        <Card title="This run cannot start here.">{forecast.sentences.join(' ')}</Card>
      ) : null}
      <div className={look.columns}>
        <div className={look.stepsColumn}>
          <Steps editing={editing} cards={cards} forecast={forecast} open={open} onOpen={setOpen} foot={needs} />
        </div>
        <Split
          id="recipe"
          fixed="end"
          size={446}
          min={{ start: 380, end: 340 }}
          start={
            <Panel
              style={{ flex: 1 }}
              title="Bits, layer by layer"
              clause={matrixClause(model, plans)}
              foot={<Totals model={model} after={forecast?.bytesAfter ?? null} stale={stale} />}
            >
              <LayerMatrix
                layers={model.layers}
                plans={plans}
                recipe={recipe}
                step={step ? open : -1}
                card={card}
                stale={stale}
                selected={chosen}
                onSelect={select}
                onChange={(next) => set(next)}
              />
            </Panel>
          }
          end={
            <LayerPreview
              modelId={model.id}
              layer={shown}
              plan={shown ? plans.get(shown.name) : undefined}
              recipe={recipe}
              step={open}
              card={card}
              foot={
                <RecipeJson
                  recipe={recipe}
                  onReplace={(next) => {
                    set(next);
                    setOpen(0);
                  }}
                />
              }
            />
          }
          drawer={{ open: selected.length > 0, onClose: () => go('/recipe', { layers: [] }), label: 'Selected layer' }}
        />
      </div>
    </div>
  );
}

function matrixClause(
  model: LibraryModel,
  plans: ReadonlyMap<string, { methods: string[]; refusal?: unknown }>,
): string {
  const kept = model.layers.filter(
    (layer) => plans.get(layer.name)?.refusal && plans.get(layer.name)?.methods.length === 0,
  ).length;
  return kept > 0
    ? `${kept} of ${model.layers.length} layers kept: their rows say why`
    : 'click a cell; several rows at once with Ctrl';
}

function Totals({ model, after, stale }: { model: LibraryModel; after: number | null; stale: boolean }) {
  return (
    <>
      <b className={look.totals}>All layers</b>
      <span className={look.grow} />
      <span>{bytes(model.summary.bytes)}</span>
      <Arrow />
      {after === null ? null : (
        <Figure
          kind="predicted"
          text={roughBytes(after, 3)}
          stale={stale}
          how={`${percent(after / model.summary.bytes, 1)} of the bytes.`}
        />
      )}
    </>
  );
}

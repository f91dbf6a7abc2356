// The recipe of one model at work: one document behind steps, matrix, preview and JSON; a selection and a hover they share.
import { useMutation } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import type { LibraryModel } from '../../../contract/words/model';
import { useAddress } from '../../address';
import { orpc, refusalOf } from '../../api';
import { Panel } from '../../parts/panel';
import { Split } from '../../parts/split';
import { useChosenDataset, useMethods } from '../../queries';
import { useNarrow } from '../../window-size';
import { widthsOf } from './document';
import { Hero } from './hero';
import { touches } from './layer-globs';
import { LayerMatrix } from './layer-matrix';
import { LayerPreview } from './layer-preview';
import { MatrixTotals, matrixClause } from './matrix-words';
import look from './recipe.module.css';
import { RecipeJson } from './recipe-json';
import { Steps } from './steps';
import { StepsStrip } from './steps-strip';
import { useRecipeKeys } from './use-keys';
import { useForecast, useRecipe } from './use-recipe';
import { WhyNot, whyNot } from './why-not';

export function Editor({ model }: { model: LibraryModel }) {
  const { layers: selected, select, set: setAddress, go } = useAddress();
  const dataset = useChosenDataset();
  const narrow = useNarrow();
  const cards = useMethods().data ?? [];
  const editing = useRecipe(model.id);
  const { recipe, set } = editing;
  const [open, setOpen] = useState(0);
  const [hovered, setHovered] = useState<string | null>(null);
  const { forecast, refusal, stale } = useForecast(model.id, recipe, dataset?.id ?? null);
  const plans = useMemo(() => new Map((forecast?.layers ?? []).map((plan) => [plan.name, plan])), [forecast]);

  // Where no step is open, the matrix and the preview work on the last one that quantizes.
  const worked = recipe.steps[open]
    ? open
    : recipe.steps.findLastIndex((each) => widthsOf(cards.find((card) => card.id === each.method)).length > 0);
  const step = recipe.steps[worked];
  const card = cards.find((each) => each.id === step?.method);

  // Until a layer is chosen, the largest one the step touches is looked at.
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
  const { mutate, reset } = start;
  const run = useCallback(
    () => mutate({ modelId: model.id, recipe, ...(dataset ? { datasetId: dataset.id } : {}) }),
    [mutate, model.id, recipe, dataset],
  );
  const edit = (next: typeof recipe, key?: string) => {
    reset();
    set(next, key);
  };
  const why = whyNot(model, recipe, refusal, forecast, start.error ? refusalOf(start.error) : null);
  useRecipeKeys({ editing, cards, worked, chosen, forecast, blocked: why !== null, run, onOpen: setOpen });

  const steps = (
    <Steps editing={{ ...editing, set: edit }} cards={cards} forecast={forecast} open={open} onOpen={setOpen} />
  );
  return (
    <div className={look.page}>
      <Hero
        model={model}
        dataset={dataset}
        plans={plans}
        forecast={forecast}
        stale={stale}
        selected={chosen}
        hovered={hovered}
        onHover={setHovered}
        onSelect={select}
        blocked={
          why ? (
            <WhyNot
              why={why}
              hasDataset={dataset !== null}
              recipe={recipe}
              cards={cards}
              onMend={edit}
              onOpen={setOpen}
            />
          ) : null
        }
        starting={start.isPending}
        onRun={run}
      />
      <div className={look.columns}>
        {narrow ? (
          <StepsStrip recipe={recipe} cards={cards} open={open} onOpen={setOpen}>
            {steps}
          </StepsStrip>
        ) : (
          <div className={look.stepsColumn}>{steps}</div>
        )}
        <Split
          id="recipe"
          fixed="end"
          size={446}
          min={{ start: 430, end: 340 }}
          start={
            <Panel
              style={{ flex: 1 }}
              title="Bits, layer by layer"
              clause={matrixClause(model, plans)}
              foot={<MatrixTotals model={model} plans={plans} after={forecast?.bytesAfter ?? null} stale={stale} />}
            >
              <LayerMatrix
                layers={model.layers}
                plans={plans}
                recipe={recipe}
                step={worked}
                card={card}
                stale={stale}
                refused={refusal !== null}
                selected={chosen}
                hovered={hovered}
                onHover={setHovered}
                onSelect={select}
                onChange={edit}
              />
            </Panel>
          }
          end={
            <LayerPreview
              modelId={model.id}
              layer={shown}
              plan={shown ? plans.get(shown.name) : undefined}
              recipe={recipe}
              step={worked}
              card={card}
              onChange={edit}
              foot={
                <RecipeJson
                  recipe={recipe}
                  layer={shown?.name ?? null}
                  onReplace={(next) => {
                    edit(next);
                    setOpen(0);
                  }}
                />
              }
            />
          }
          drawer={{
            open: selected.length > 0,
            onClose: () => setAddress({ layers: [] }),
            label: 'Selected layer',
          }}
        />
      </div>
    </div>
  );
}

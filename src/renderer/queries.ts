// What pages ask the host, as hooks. Lists are kept current by the streams of live.ts, so nobody polls them.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { LibraryDataset } from '../contract/words/dataset';
import type { LibraryModel } from '../contract/words/model';
import type { Evaluation } from '../contract/words/quality';
import type { RunRow } from '../contract/words/run';
import { useAddress } from './address';
import { orpc } from './api';

export const useModels = () => useQuery(orpc.models.list.queryOptions());
export const useDatasets = () => useQuery(orpc.datasets.list.queryOptions());
/** Every run, newest first. */
export const useRuns = () => useQuery(orpc.runs.list.queryOptions({ input: {} }));
export const useMethods = () => useQuery(orpc.methods.list.queryOptions({ staleTime: Number.POSITIVE_INFINITY }));
export const useDevices = () => useQuery(orpc.devices.list.queryOptions({ staleTime: Number.POSITIVE_INFINITY }));
/** Samples that ship with this installation. */
export const useSamples = () => useQuery(orpc.models.samples.queryOptions({ staleTime: Number.POSITIVE_INFINITY }));
export const useHostInfo = () => useQuery(orpc.host.info.queryOptions());

/** A model of the library; null while it loads or when there is none of this id. */
export function useModel(id: string | null): LibraryModel | null {
  const { data } = useModels();
  const listed = data?.find((model) => model.id === id) ?? null;
  // Artifacts may be left out of the list; they are asked for by id.
  const single = useQuery(
    orpc.models.get.queryOptions({ input: { id: id ?? '' }, enabled: id !== null && data !== undefined && !listed }),
  );
  return listed ?? single.data ?? null;
}

/** The model in the address. */
export const useOpenModel = (): LibraryModel | null => useModel(useAddress().model);

/** The dataset in the address, else the one last used with this model, else none. */
export function useChosenDataset(): LibraryDataset | null {
  const { data: id, model } = useAddress();
  const datasets = useDatasets().data;
  const runs = useRuns().data;
  return useMemo(() => {
    const wanted = id ?? runs?.find((run) => run.modelId === model && run.datasetId)?.datasetId ?? null;
    return datasets?.find((dataset) => dataset.id === wanted) ?? null;
  }, [id, model, datasets, runs]);
}

/** The device in the address; none until one is chosen. */
export function useChosenDevice() {
  const { device } = useAddress();
  const devices = useDevices().data;
  return devices?.find((each) => each.id === device) ?? null;
}

/** The run that made this model, when it is an artifact. */
export function useMakerRun(model: LibraryModel | null): RunRow | null {
  const runs = useRuns().data;
  return runs?.find((run) => run.id === model?.runId || run.artifactModelId === model?.id) ?? null;
}

/** The newest evaluation of a model on a dataset: its own, or the one its run made. */
export function useEvaluation(model: LibraryModel | null, dataset: LibraryDataset | null): Evaluation | null {
  const runs = useRuns().data;
  const maker = useMakerRun(model);
  const own = runs?.find(
    (run) =>
      run.kind === 'evaluate' &&
      run.state === 'done' &&
      run.modelId === model?.id &&
      (!dataset || run.datasetId === dataset.id),
  );
  const made = maker?.state === 'done' && (!dataset || maker.datasetId === dataset.id) ? maker : undefined;
  const evaluated = useQuery(
    orpc.runs.evaluation.queryOptions({ input: { id: own?.id ?? '' }, enabled: own !== undefined }),
  );
  const document = useQuery(
    orpc.runs.document.queryOptions({ input: { id: made?.id ?? '' }, enabled: !own && made !== undefined }),
  );
  // A parent's baseline is measured by its children's runs, too.
  const child = runs?.find(
    (run) =>
      run.kind === 'compress' &&
      run.state === 'done' &&
      run.modelId === model?.id &&
      run.datasetId !== null &&
      (!dataset || run.datasetId === dataset.id),
  );
  const childDocument = useQuery(
    orpc.runs.document.queryOptions({ input: { id: child?.id ?? '' }, enabled: !own && !made && child !== undefined }),
  );
  if (own) return evaluated.data ?? null;
  if (made) return document.data?.compressed ?? null;
  if (child) return childDocument.data?.baseline ?? null;
  return null;
}

/** Runs that are waiting or under way, the running one first. */
export function useActiveRuns(): RunRow[] {
  const runs = useRuns().data;
  return useMemo(
    () =>
      (runs ?? [])
        .filter((run) => run.state === 'running' || run.state === 'queued')
        .sort(
          (one, other) =>
            Number(other.state === 'running') - Number(one.state === 'running') || one.number - other.number,
        ),
    [runs],
  );
}

/** Can the run's quality not be told from its parent's, by their 95 % intervals? A run that was not measured cannot say. */
function keepsQuality({ document }: RunRow): boolean {
  const before = document?.baseline?.quality;
  const after = document?.compressed?.quality;
  if (!before || !after) return false;
  return after.ci95[0] <= before.ci95[1] && before.ci95[0] <= after.ci95[1];
}

/** The finished compression of a model that is smallest without measured loss; else the one that lost least; else the smallest. */
export function bestRun(runs: readonly RunRow[], modelId: string): RunRow | null {
  const done = runs.filter(
    (run) => run.modelId === modelId && run.kind === 'compress' && run.state === 'done' && run.bytes !== null,
  );
  const bySize = [...done].sort((one, other) => (one.bytes ?? 0) - (other.bytes ?? 0));
  const lowerIsBetter = done[0]?.metric === 'perplexity' || done[0]?.metric === 'rmse';
  const byQuality = done
    .filter((run) => run.value !== null)
    .sort((one, other) => ((other.value ?? 0) - (one.value ?? 0)) * (lowerIsBetter ? -1 : 1));
  return bySize.find(keepsQuality) ?? byQuality[0] ?? bySize[0] ?? null;
}

// The corridor behind `runs.start`: a model and a recipe go in; a compressed model, proven to load, and what it is worth come out.
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Evaluation } from '../contract/words/quality';
import type { Recipe } from '../contract/words/recipe';
import { refuse } from '../contract/words/refusal';
import type { InputPort } from './data';
import { evaluate } from './evaluate';
import { shortOf, tooLargeToLoad } from './forecast';
import { open as openOnnx, write } from './formats/onnx';
import type { Model } from './graph/graph';
import { inferShapes } from './graph/shapes';
import { verify } from './graph/verify';
import { type Kernels, openKernels } from './kernels';
import type { Gathering } from './methods/cutting/gathering';
import { checkpointFiles, Scratch } from './methods/cutting/scratch';
import { kernelWorkshop } from './methods/cutting/workshop';
import type { Subject } from './methods/method';
import { inputsOf, openSubject } from './open';
import { readRecipe } from './recipe';
import { refuseWithoutData } from './recipe-needs';
import { type Taken, takeSteps } from './recipe-steps';
import { writeAdapters } from './run-adapters';
import { costOf, largestOptimised, type RunCost } from './run-cost';
import { gather } from './run-gather';
import { compareOutputs, type OutputErrors } from './run-outputs';
import { fusionNotes, layerOutcomes, lostFusions, runNotes, speedNotes, trainingNotes } from './run-report';
import { sparsitiesOf } from './run-sparsity';
import { readFusedByBlock } from './runtime/excerpt';
import { Failure } from './runtime/failure';
import { blame } from './runtime/given';
import { countIntegerOperators, type OperatorCounts, readOptimised } from './runtime/optimise';
import { openSession } from './runtime/session';
import { StageClock } from './stage-clock';
import type { Comparison, RunResult, Tasks, Work } from './tasks';
import { checkpointsFolder, removeCheckpoints } from './train/checkpoint';

type Ask = Tasks['run']['ask'];

const modelFile = 'model.onnx';
const scratchFile = 'scratch.bin';

export async function runRecipe(ask: Ask, work: Work): Promise<RunResult> {
  const recipe = readRecipe(ask.recipe);
  refuseWithoutData(recipe, ask.dataset !== undefined);
  const clock = new StageClock();
  await clear(ask.folder);
  const scratch = await Scratch.open(
    join(ask.folder, scratchFile),
    ask.checkpoint === undefined ? {} : { key: ask.checkpoint },
  );
  const kernels = await openKernels();
  try {
    if (scratch.ready > 0) work.emit({ kind: 'log', level: 'info', text: 'Goes on from the last checkpoint.' });
    const { subject, inputs, cost, fitNotes } = await clock.time('fit', () =>
      prepare(ask, recipe, kernels, scratch, work),
    );
    const artifact = join(ask.folder, 'artifact');
    const { gathering, trainings, notes: gathered } = await gather(ask, recipe, inputs, kernels, clock, work);
    const taken = await cutAndWrite(recipe, subject, cost, gathering, scratch, artifact, clock, work);
    const path = join(artifact, modelFile);
    const sparsities = await sparsitiesOf(path, taken.records, kernels, work.signal);
    const stopped = taken.steps < recipe.steps.length || work.stopping;
    // A training that was stopped has its best weights, and they are worth knowing.
    const wasTraining = trainings.at(-1)?.ending === 'stopped';

    const notes = [...fitNotes, ...gathered, ...trainingNotes(trainings), ...runNotes(taken.records)];
    let fused: OperatorCounts = {};
    let measured: Measured = {};
    let outputs: OutputErrors | null = null;
    if (!cost.loads) notes.push(tooLargeToLoad(cost));
    else {
      const reloading = clock.time('reload', () => reload(path, cost, taken, ask.folder, work));
      const reloaded = await reloading.catch((error: unknown) => blame(error, ask.path, basename(ask.path)));
      fused = reloaded.fused;
      notes.push(...reloaded.notes);
      if (stopped && !wasTraining) notes.push('Stopped between steps: what was cut is kept, and was not evaluated.');
      else if (ask.dataset) {
        measured = await clock.time('evaluate', () => measure(ask, path, clock, work, wasTraining));
        // Layers that learnt give other outputs on purpose.
        if (trainings.length === 0)
          outputs = await clock.time('evaluate', () => lookInside(ask, subject, inputs, taken, cost, path, work));
        if (outputs) notes.push(outputs.note);
      }
      // Weights that only learnt are computed as before: a difference is noise.
      const isCut = taken.subject.sites.some(({ bits }) => bits < 32);
      if (isCut) notes.push(...speedNotes(measured.baseline, measured.compressed, fused));
    }
    await removeCheckpoints(join(ask.folder, checkpointsFolder));
    return {
      files: await describeFiles(artifact, taken.files),
      layers: layerOutcomes(subject.sites, taken.subject.sites, taken.records, outputs?.decibels, sparsities),
      fused,
      notes,
      ...measured,
      ...(trainings.length > 0 ? { training: trainings } : {}),
      stages: clock.stages,
      stopped,
    };
  } finally {
    await kernels.close();
    await scratch.remove();
  }
}

/** What an engine that died left in the folder, save what this one goes on from. */
async function clear(folder: string): Promise<void> {
  const kept = new Set<string>([scratchFile, ...checkpointFiles, checkpointsFolder]);
  for (const name of await readdir(folder))
    if (!kept.has(name)) await rm(join(folder, name), { recursive: true, force: true });
}

/** Opens, judges every layer, and tells what is to come. Nothing is written before there is room for it. */
async function prepare(ask: Ask, recipe: Recipe, kernels: Kernels, scratch: Scratch, work: Work) {
  work.emit({ kind: 'doing', what: `opening ${ask.path}` });
  const opened = await openSubject(ask.path);
  const { subject, notes: fitNotes } = opened;
  const inputs = inputsOf(opened);
  const cost = await costOf({
    subject,
    inputs,
    recipe,
    kernels,
    folder: ask.folder,
    ...(ask.dataset ? { dataset: ask.dataset } : {}),
    ...(ask.limit === undefined ? {} : { limit: ask.limit }),
    hasBaseline: ask.baseline !== undefined,
    ready: { orders: scratch.ready, bytes: scratch.bytes },
    signal: work.signal,
  });
  work.emit({ kind: 'stages', stages: cost.stages });
  const short = shortOf(cost);
  if (short.length > 0) refuse(cost.diskBytes > cost.freeDiskBytes ? 'disk-full' : 'does-not-fit', short.join(' '));
  return { subject, inputs, cost, fitNotes };
}

/** The steps, through the scratch file, and the artifact. */
async function cutAndWrite(
  recipe: Recipe,
  subject: Subject,
  cost: RunCost,
  gathering: Gathering,
  scratch: Scratch,
  artifact: string,
  clock: StageClock,
  work: Work,
): Promise<Taken & { files: string[] }> {
  const taken = await clock.time('apply', () => apply(subject, recipe, cost, gathering, scratch, clock, work));
  work.emit({ kind: 'doing', what: 'writing the artifact' });
  const files = await clock.time('write', () => writeArtifact(taken.subject.model, artifact, work));
  work.emit({ kind: 'written', files });
  return { ...taken, files };
}

async function apply(
  subject: Subject,
  recipe: Recipe,
  { turns }: RunCost,
  gathering: Gathering,
  scratch: Scratch,
  clock: StageClock,
  work: Work,
): Promise<Taken> {
  const workshop = kernelWorkshop(gathering.kernels, scratch, work.signal, gathering);
  const steps = takeSteps(subject, recipe, workshop, () => work.stopping);
  const all = turns.at(-1) ?? 0;
  // Layers that come from a checkpoint take no time: the rest is the whole of what is to be done.
  let before = 0;
  for (let turned = 0; ; turned++) {
    work.signal.throwIfAborted();
    const next = await steps.next();
    if (next.done) {
      const cut = [...next.value.records.values()].filter(({ methods }) => methods.length > 0).length;
      const text = `${cut} of ${next.value.records.size} layers cut.`;
      work.emit({ kind: 'log', level: cut > 0 ? 'info' : 'warn', text });
      return next.value;
    }
    const { title, cut, done, total } = next.value;
    clock.enter('apply');
    work.emit({ kind: 'doing', what: `${title}, layer ${cut.layer}` });
    const worth = turns[turned] ?? all;
    if (scratch.ready > 0) before = worth;
    const share = all > before ? (worth - before) / (all - before) : 1;
    work.emit({ kind: 'progress', stage: 'apply', text: `${title}, layer ${done} of ${total}`, done, total, share });
    for (const text of cut.notes) work.emit({ kind: 'log', level: 'info', text, layer: cut.layer });
  }
}

async function writeArtifact(model: Model, folder: string, work: Work): Promise<string[]> {
  await mkdir(folder);
  const files = await write(model, {
    folder,
    file: modelFile,
    signal: work.signal,
    onProgress: (done, total) => work.emit({ kind: 'progress', stage: 'write', text: 'Writing', done, total }),
  });
  return [...files, ...(await writeAdapters(model, folder, modelFile))];
}

/** Reads the artifact back, checks the graph, loads it in the runtime and counts what fused. */
async function reload(
  path: string,
  cost: RunCost,
  { records }: Taken,
  folder: string,
  work: Work,
): Promise<{ fused: OperatorCounts; notes: string[] }> {
  work.emit({ kind: 'doing', what: 'loading the compressed model' });
  work.emit({ kind: 'progress', stage: 'reload', text: 'Loading the compressed model', done: 0, total: 1 });
  const { model } = await openOnnx(path);
  const problems = verify(model);
  if (problems.length > 0)
    throw new Failure(`The compressed graph is broken: ${problems[0]}`, 'verifying the artifact');
  const written = countIntegerOperators(model);
  if (cost.bytesAfter > largestOptimised) {
    const session = await openSession(path, { doing: 'loading the compressed model' });
    await session.close();
    const fused = await readFusedByBlock(model, await inferShapes(model), folder);
    const note = 'Above 1 GB one copy of each distinct block is looked at for what the runtime fuses.';
    return { fused, notes: [note, ...fusionNotes(written, fused)] };
  }
  const { fused, floats } = await readOptimised(path, folder);
  return { fused, notes: [...fusionNotes(written, fused), ...lostFusions(records, floats)] };
}

interface Measured {
  readonly baseline?: Evaluation;
  readonly compressed?: Evaluation;
  readonly comparison?: Comparison;
}

/** `isWhole`: a stop that ended the steps does not end the measuring. */
async function measure(ask: Ask, path: string, clock: StageClock, work: Work, isWhole: boolean): Promise<Measured> {
  const { dataset, limit } = ask;
  if (!dataset) return {};
  // Stages were told for the whole run already.
  const inner: Work = {
    signal: work.signal,
    get stopping() {
      return work.stopping && !isWhole;
    },
    emit: (event) => {
      if (event.kind === 'progress') clock.enter(event.stage === 'time' ? 'time' : 'evaluate');
      if (event.kind !== 'stages') work.emit(event);
    },
  };
  const question = { dataset, ...(limit === undefined ? {} : { limit }) };
  const baseline = ask.baseline ?? (await evaluate({ path: ask.path, ...question }, inner)).evaluation;
  const { evaluation, comparison } = await evaluate({ path, against: ask.path, ...question }, inner);
  return { baseline, compressed: evaluation, ...(comparison ? { comparison } : {}) };
}

/** The outputs of single layers; null where nothing can be compared. Both models are written once more, so not of large ones. */
async function lookInside(
  ask: Ask,
  parent: Subject,
  inputs: readonly InputPort[],
  { records }: Taken,
  { looksInside }: RunCost,
  path: string,
  work: Work,
): Promise<OutputErrors | null> {
  const { dataset, folder } = ask;
  if (!dataset || !looksInside || work.stopping) return null;
  work.emit({ kind: 'doing', what: 'comparing the outputs of layers' });
  const rescaled = new Set([...records].flatMap(([name, record]) => (record.rescaled ? [name] : [])));
  const { model: child } = await openOnnx(path);
  return compareOutputs({ parent, child, rescaled, inputs, dataset, folder, work });
}

async function describeFiles(folder: string, files: readonly string[]): Promise<{ path: string; bytes: number }[]> {
  return Promise.all(files.map(async (path) => ({ path, bytes: (await stat(join(folder, path))).size })));
}

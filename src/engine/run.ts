// The corridor behind `runs.start`: a model and a recipe go in; a compressed model, proven to load, and what it is worth come out.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FileEntry } from '../contract/words/model';
import type { Evaluation } from '../contract/words/quality';
import type { Recipe } from '../contract/words/recipe';
import { refuse } from '../contract/words/refusal';
import type { Stage } from '../contract/words/run';
import type { InputPort } from './data';
import { evaluate } from './evaluate';
import { shortOf, tooLargeToLoad } from './forecast';
import { open as openOnnx, write } from './formats/onnx';
import type { Model } from './graph/graph';
import { inferShapes } from './graph/shapes';
import { verify } from './graph/verify';
import { type Kernels, openKernels } from './kernels';
import { openCalibration } from './measure/calibration';
import type { Gathering } from './methods/cutting/gathering';
import { Scratch } from './methods/cutting/scratch';
import { kernelWorkshop } from './methods/cutting/workshop';
import type { Subject } from './methods/method';
import { inputsOf, openSubject } from './open';
import { readRecipe } from './recipe';
import { needsData } from './recipe-needs';
import { type Taken, takeSteps } from './recipe-steps';
import { costOf, largestOptimised, type RunCost } from './run-cost';
import { compareOutputs, type OutputErrors } from './run-outputs';
import { fusionNotes, layerOutcomes, lostFusions, runNotes, speedNotes } from './run-report';
import { readFusedByBlock } from './runtime/excerpt';
import { Failure } from './runtime/failure';
import { blame } from './runtime/given';
import { countIntegerOperators, type OperatorCounts, readOptimised } from './runtime/optimise';
import { openSession } from './runtime/session';
import type { Comparison, RunResult, Tasks, Work } from './tasks';

type Ask = Tasks['run']['ask'];

const modelFile = 'model.onnx';

export async function runRecipe(ask: Ask, work: Work): Promise<RunResult> {
  const recipe = readRecipe(ask.recipe);
  needsData(recipe, ask.dataset !== undefined);
  const clock = new StageClock();
  const kernels = await openKernels();
  try {
    const { subject, inputs, cost, fitNotes } = await clock.time('fit', () => prepare(ask, recipe, kernels, work));
    const artifact = join(ask.folder, 'artifact');
    const gathering = await gather(ask, recipe, inputs, kernels, clock, work);
    const taken = await cutAndWrite(ask, recipe, subject, gathering, artifact, clock, work);
    const path = join(artifact, modelFile);
    const stopped = taken.steps < recipe.steps.length || work.stopping;

    const notes = [...fitNotes, ...(gathering.calibration?.notes ?? []), ...runNotes(taken.records)];
    let fused: OperatorCounts = {};
    let measured: Measured = {};
    let outputs: OutputErrors | null = null;
    if (!cost.loads) notes.push(tooLargeToLoad(cost));
    else {
      const reloading = clock.time('reload', () => reload(path, cost, taken, ask.folder, work));
      const reloaded = await reloading.catch((error: unknown) => blame(error, ask.path, basename(ask.path)));
      fused = reloaded.fused;
      notes.push(...reloaded.notes);
      if (stopped) notes.push('Stopped between steps: what was cut is kept, and was not evaluated.');
      else if (ask.dataset) {
        measured = await clock.time('evaluate', () => measure(ask, path, clock, work));
        outputs = await clock.time('evaluate', () => lookInside(ask, subject, inputs, taken, cost, path, work));
        if (outputs) notes.push(outputs.note);
      }
      notes.push(...speedNotes(measured.baseline, measured.compressed, fused));
    }
    return {
      files: await clock.time('hash', () => describeFiles(artifact, taken.files)),
      layers: layerOutcomes(subject.sites, taken.subject.sites, taken.records, outputs?.decibels),
      fused,
      notes,
      ...measured,
      stages: clock.stages.filter(({ stage }) => stage !== 'hash'),
      stopped,
    };
  } finally {
    await kernels.close();
  }
}

/** Opens, judges every layer, and tells what is to come. Nothing is written before there is room for it. */
async function prepare(ask: Ask, recipe: Recipe, kernels: Kernels, work: Work) {
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
    signal: work.signal,
  });
  work.emit({ kind: 'stages', stages: cost.stages });
  const short = shortOf(cost);
  if (short.length > 0) refuse(cost.diskBytes > cost.freeDiskBytes ? 'disk-full' : 'does-not-fit', short.join(' '));
  return { subject, inputs, cost, fitNotes };
}

/** Samples for steps that learn from data, opened only where one does. */
async function gather(
  ask: Ask,
  recipe: Recipe,
  inputs: readonly InputPort[],
  kernels: Kernels,
  clock: StageClock,
  work: Work,
): Promise<Gathering> {
  const { dataset } = ask;
  const isNeeded = needsData(recipe, dataset !== undefined);
  if (isNeeded) work.emit({ kind: 'doing', what: 'opening the calibration samples' });
  return {
    calibration: isNeeded && dataset ? await clock.time('gather', () => openCalibration(dataset, inputs)) : null,
    folder: ask.folder,
    kernels,
    signal: work.signal,
    tell(text, done, total) {
      clock.enter('gather');
      work.emit({ kind: 'progress', stage: 'gather', text, done, total });
    },
  };
}

/** The steps, through a scratch file, and the artifact. The scratch file is gone afterwards, whatever happens. */
async function cutAndWrite(
  ask: Ask,
  recipe: Recipe,
  subject: Subject,
  gathering: Gathering,
  artifact: string,
  clock: StageClock,
  work: Work,
): Promise<Taken & { files: string[] }> {
  const scratch = await Scratch.create(join(ask.folder, 'scratch.bin'));
  try {
    const taken = await clock.time('apply', () => apply(subject, recipe, gathering, scratch, clock, work));
    work.emit({ kind: 'doing', what: 'writing the artifact' });
    const files = await clock.time('write', () => writeArtifact(taken.subject.model, artifact, work));
    return { ...taken, files };
  } finally {
    await scratch.remove();
  }
}

async function apply(
  subject: Subject,
  recipe: Recipe,
  gathering: Gathering,
  scratch: Scratch,
  clock: StageClock,
  work: Work,
): Promise<Taken> {
  const workshop = kernelWorkshop(gathering.kernels, scratch, work.signal, gathering);
  const steps = takeSteps(subject, recipe, workshop, () => work.stopping);
  for (;;) {
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
    work.emit({ kind: 'progress', stage: 'apply', text: `${title}, layer ${done} of ${total}`, done, total });
    for (const text of cut.notes) work.emit({ kind: 'log', level: 'info', text, layer: cut.layer });
  }
}

async function writeArtifact(model: Model, folder: string, work: Work): Promise<string[]> {
  await mkdir(folder);
  return write(model, {
    folder,
    file: modelFile,
    signal: work.signal,
    onProgress: (done, total) => work.emit({ kind: 'progress', stage: 'write', text: 'Writing', done, total }),
  });
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

async function measure(ask: Ask, path: string, clock: StageClock, work: Work): Promise<Measured> {
  const { dataset, limit } = ask;
  if (!dataset) return {};
  // Stages were told for the whole run already.
  const inner: Work = {
    signal: work.signal,
    get stopping() {
      return work.stopping;
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

async function describeFiles(folder: string, files: readonly string[]): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for (const path of files) {
    const hash = createHash('sha256');
    for await (const piece of createReadStream(join(folder, path), { highWaterMark: 2 ** 20 })) hash.update(piece);
    entries.push({ path, sha256: hash.digest('hex'), bytes: (await stat(join(folder, path))).size });
  }
  return entries;
}

/** Seconds of each stage that ran, in order of first entry. */
class StageClock {
  private readonly seconds = new Map<Stage | 'hash', number>();
  private current: Stage | 'hash' | null = null;
  private since = 0;

  get stages(): { stage: Stage | 'hash'; seconds: number }[] {
    return [...this.seconds].map(([stage, seconds]) => ({ stage, seconds }));
  }

  /** Time from now on counts for this stage; null: for none. */
  enter(stage: Stage | 'hash' | null): void {
    if (stage === this.current) return;
    const now = performance.now();
    if (this.current) this.seconds.set(this.current, (this.seconds.get(this.current) ?? 0) + (now - this.since) / 1000);
    this.current = stage;
    this.since = now;
  }

  async time<T>(stage: Stage | 'hash', work: () => Promise<T>): Promise<T> {
    this.enter(stage);
    try {
      return await work();
    } finally {
      this.enter(null);
    }
  }
}

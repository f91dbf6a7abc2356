// The teacher of a run opened for its student: whose scores are compared, which hidden values, and what is said about it.
import { refuse } from '../../../contract/words/refusal';
import { openFormat } from '../../formats';
import { elementCount, type Model, type Tensor } from '../../graph/graph';
import { normalise } from '../../graph/normalise';
import { inferShapes } from '../../graph/shapes';
import { floatTensor } from '../../graph/tensor';
import { producers } from '../../graph/walk';
import { scoresOf } from '../../train/loss';
import { objectiveOf, type Task } from '../../train/objective';
import { randomFor } from '../../train/random';
import { Teacher } from '../../train/teacher';
import { type Hidden, teachingObjective } from '../../train/teaching';
import type { TrainingData } from '../../train/training-data';
import type { Shapes, Subject } from '../method';
import { answerOf, type Goal, type GoalAsk } from './training';

/** Values behind layers that are compared, spread over the network. */
const mostHidden = 4;

export async function teachingGoal({ subject, sites, params, data, gathering }: GoalAsk): Promise<Goal> {
  const [alpha, hiddenWeight] = [Number(params.alpha), Number(params.features)];
  const output = answerOf(subject.model.graph);
  const { task, isLabelled } = data;
  if (alpha === 0 && hiddenWeight === 0 && isLabelled && task !== 'none')
    return { objective: objectiveOf(task, output), beside: [], notes: [], close: async () => {} };
  const { model } = await normalise((await openFormat(gathering.parent)).model);
  const names = sites.map(({ node }) => node.outputs[0]!).filter((name) => name !== output);
  const hidden = hiddenWeight > 0 ? await hiddenOf(subject, model, names, gathering.seed) : [];
  const teacher = await Teacher.open({
    model,
    values: [scoresIn(model), ...hidden.map(({ value }) => value)],
    origin: gathering.parent,
    folder: gathering.folder,
  });
  const objective = teachingObjective({
    task: task === 'none' ? taskFor(subject, output) : task,
    output,
    isLabelled: isLabelled && task !== 'none',
    temperature: Number(params.temperature),
    alpha,
    teacher,
    hidden,
    hiddenWeight,
  });
  return {
    objective,
    beside: hidden.flatMap(({ adapter }) => adapter ?? []),
    notes: [
      ...(isLabelled || alpha === 1 ? [] : [unlabelled(data)]),
      ...(hidden.length > 0
        ? [`Compared with the teacher inside: ${hidden.map(({ value }) => value).join(', ')}.`]
        : []),
    ],
    close: () => teacher.close(),
  };
}

const unlabelled = ({ dataset }: TrainingData): string =>
  `The train split of ${dataset.summary.name} has no labels: the teacher’s share of the loss is all of it.`;

const scoresIn = ({ graph }: Model): string => scoresOf(graph, answerOf(graph), () => 2, false).logits;

/** Without a declared task: one row of scores for each sample is a classifier's. */
function taskFor({ shapes }: Subject, output: string): Task {
  const dims = shapes.get(output)?.shape?.filter((dim, axis) => axis === 0 || dim !== 1);
  return dims?.length === 2 ? 'classification' : 'regression';
}

/** Values that both graphs make under one name and, but for their channels, in one shape. */
async function hiddenOf(student: Subject, teacher: Model, names: readonly string[], seed: number): Promise<Hidden[]> {
  const made = producers(teacher.graph);
  const theirs = await inferShapes(teacher);
  const found = names.flatMap((value) => {
    const own = made.has(value) ? channelsOf(student.shapes, theirs, value) : null;
    return own ? [{ value, ...own }] : [];
  });
  if (found.length === 0)
    return refuse(
      'unsupported',
      'No layer of the student makes a hidden value that the teacher makes under the same name, in a shape that differs in channels at most.',
      'Set "features" to 0.',
    );
  const count = Math.min(mostHidden, found.length);
  return Array.from({ length: count }, (_, i) => {
    const { value, axis, channels, wanted } = found[Math.floor((i * found.length) / count)]!;
    return {
      value,
      axis,
      adapter: channels === wanted ? null : adapterOf(value, channels, wanted, randomFor(seed, 'adapter', i)),
    };
  });
}

function channelsOf(own: Shapes, theirs: Shapes, value: string) {
  const [a, b] = [own.get(value)?.shape, theirs.get(value)?.shape];
  if (!a || !b || a.length !== b.length || a.length < 2) return null;
  const axis = a.length > 3 ? 1 : a.length - 1;
  const [channels, wanted] = [a[axis], b[axis]];
  if (typeof channels !== 'number' || typeof wanted !== 'number') return null;
  const isAlike = a.every(
    (dim, i) => i === axis || typeof dim !== 'number' || typeof b[i] !== 'number' || dim === b[i],
  );
  return isAlike ? { axis, channels, wanted } : null;
}

function adapterOf(value: string, channels: number, wanted: number, random: () => number): Tensor {
  const dims = [channels, wanted];
  const bound = Math.sqrt(3 / channels);
  const values = Float32Array.from({ length: elementCount(dims) }, () => (2 * random() - 1) * bound);
  return floatTensor(`${value}/adapter`, dims, values);
}

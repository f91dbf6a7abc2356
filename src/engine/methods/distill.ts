// Distillation: the model the run started from teaches its smaller child, by the scores it gives to every class of every sample.
import type { MethodCard } from '../../contract/words/method';
import { whyFrozen } from '../train/trainable';
import { type StudentKind, studentOf, whyNoStudent } from './cutting/student';
import { teachingGoal } from './cutting/teaching';
import { trainLayers } from './cutting/training';
import { settingsOf, trainingParameters } from './cutting/training-card';
import type { LayerCut, Method, Params } from './method';

const card: MethodCard = {
  id: 'distill',
  title: 'Distill',
  family: 'train',
  help: 'The model the run starts from teaches a smaller one: the student learns the teacher’s scores of all classes, not only the right answer. The student is what the steps before left, or a thinner or shallower copy that begins with the teacher’s weights. Weights that pruning set to zero stay zero, quantized layers stay as they are; labels are not needed.',
  needs: ['weights', 'gradients'],
  params: [
    {
      id: 'student',
      label: 'Student',
      help: 'Who learns. Copies are made of the model as the steps before left it.',
      kind: 'choice',
      default: 'child',
      choices: [
        { value: 'child', label: 'The child', help: 'As the steps before left it: pruned, quantized in parts.' },
        {
          value: 'thinner',
          label: 'Thinner copy',
          help: 'Layers that one other layer reads keep the channels with the largest weights.',
        },
        {
          value: 'shallower',
          label: 'Shallower copy',
          help: 'Blocks of a residual network or transformer are left out, evenly.',
        },
      ],
    },
    {
      id: 'width',
      label: 'Width',
      help: 'Share of the channels that stay; a half leaves about a quarter of the weights.',
      kind: 'number',
      default: 0.5,
      min: 0.05,
      max: 0.95,
      step: 0.01,
      when: { student: ['thinner'] },
    },
    {
      id: 'depth',
      label: 'Depth',
      help: 'Share of the blocks that stay.',
      kind: 'number',
      default: 0.5,
      min: 0.05,
      max: 0.95,
      step: 0.01,
      when: { student: ['shallower'] },
    },
    {
      id: 'temperature',
      label: 'Temperature',
      help: 'Divides the scores before they are compared. Higher, and the unlikely classes teach more of what is alike.',
      kind: 'number',
      default: 4,
      min: 0.5,
      max: 50,
      logarithmic: true,
    },
    {
      id: 'alpha',
      label: 'Teacher’s share',
      help: 'How much of the loss is the teacher’s; the rest is the labels’. Without labels it is all of it.',
      kind: 'number',
      default: 0.7,
      min: 0,
      max: 1,
      step: 0.05,
    },
    {
      id: 'features',
      label: 'Hidden values',
      help: 'What the outputs of up to four layers weigh in the loss, compared with the teacher’s under the same name; 0 leaves them out. Where the widths differ, a linear map between them is trained along.',
      kind: 'number',
      default: 0,
      min: 0,
      max: 100,
    },
    ...trainingParameters({ learningRate: 1e-3 }),
  ],
  ops: ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Gather', 'LSTM', 'GRU'],
};

export const distill: Method = {
  card,

  learns: (params) => ({ settings: settingsOf(params), needsLabels: false, passes: passesOf(params) }),

  fits(subject, site, params) {
    return whyFrozen(subject.model, site) ?? whyNoStudent(subject, params);
  },

  warnings() {
    return [];
  },

  async *apply(subject, targets, workshop) {
    const params = targets[0]?.params;
    if (!params) return subject.model;
    const student = await studentOf(subject, params, workshop);
    const now = new Map(student.subject.sites.map((site) => [site.name, site]));
    const learning = targets.flatMap((target) => {
      const site = now.get(target.site.name);
      return site ? [{ ...target, site }] : [];
    });
    const training = trainLayers(student.subject, learning, workshop, {
      title: card.title,
      settings: settingsOf,
      keepsZeros: () => true,
      goal: teachingGoal,
    });
    const cuts = new Map<string, LayerCut>();
    let next = await training.next();
    for (; !next.done; next = await training.next()) cuts.set(next.value.layer, next.value);
    for (const { site } of targets) {
      const cut = cuts.get(site.name);
      const notes = cut ? [...(student.note ? [student.note] : []), ...cut.notes] : ['It is left out of the student.'];
      yield { layer: site.name, error: null, notes };
    }
    return next.value;
  },
};

/** Of the parent's forward pass: three of the student's, and the teacher's own, once where its answers are kept. */
function passesOf(params: Params): number {
  const { epochs, augmentation } = settingsOf(params);
  const sizes: Record<StudentKind, number> = {
    child: 1,
    thinner: Number(params.width) ** 2,
    shallower: Number(params.depth),
  };
  const isKept = augmentation.crop === 1 && augmentation.shift === 0 && !augmentation.flip;
  const asked = params.alpha === 0 && params.features === 0 ? 0 : isKept ? 1 / Math.max(1, epochs) : 1;
  return 3 * sizes[params.student as StudentKind] + asked;
}

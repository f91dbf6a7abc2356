// Zero-shot uniform int8: weights, and from Z3 on activations too, on grids that are found without a single sample.
import type { MethodCard } from '../../contract/words/method';
import { refuse } from '../../contract/words/refusal';
import { readInt } from '../graph/edit';
import { storedBytes } from '../graph/graph';
import { foreseen } from '../measure/moments-foreseen';
import { inputKinds } from '../measure/moments-input';
import type { InputMoments } from '../measure/moments-values';
import { correctBiases } from './cutting/bias-correction';
import { equalizedSubject } from './cutting/equalized';
import { foldBatchNorms } from './cutting/fold';
import type { Gathering } from './cutting/gathering';
import { dequantizedAlready, refusal, unfitType } from './cutting/judge';
import { computeType } from './cutting/matrix';
import { planQdq, surroundingReason } from './cutting/qdq-plan';
import { integerBytes, weightReason } from './cutting/qdq-weight';
import { observedValues, QdqWriter } from './cutting/qdq-write';
import { Rewrite } from './cutting/rewrite';
import { keptBeside, Shelf } from './cutting/shelf';
import { putUniform, uniformBytes } from './cutting/uniform';
import { rangesWithoutData } from './cutting/zero-ranges';
import type { Method, Params, Subject } from './method';

const levels = ['Z0', 'Z1', 'Z2', 'Z3', 'Z4'] as const;
type Level = (typeof levels)[number];

const card: MethodCard = {
  id: 'zero-shot',
  title: 'Zero-shot int8',
  family: 'quantize',
  help: 'Uniform int8 with no data at all. Each level does what those before it do and one thing more. Up to Z2 weights alone are in 8 bits: smaller, not faster. From Z3 on activations are too, their ranges computed from the weights and from how inputs are normalised, and the model runs on integers.',
  needs: ['weights'],
  params: [
    {
      id: 'level',
      label: 'Level',
      kind: 'choice',
      default: 'Z4',
      help: 'How far to go without data.',
      choices: [
        { value: 'Z0', label: 'Z0', help: 'Weights to the nearest level.' },
        { value: 'Z1', label: 'Z1', help: 'The range of each scale is searched for the least error.' },
        {
          value: 'Z2',
          label: 'Z2',
          help: 'Neighbouring layers are equalized before. Put Rotate before the step to do the same for a transformer.',
        },
        { value: 'Z3', label: 'Z3', help: 'Activations in 8 bits, ranges from propagated means and variances.' },
        { value: 'Z4', label: 'Z4', help: 'What rounding shifts on average is taken back from the biases.' },
      ],
    },
    {
      id: 'inputs',
      label: 'Inputs are',
      kind: 'choice',
      default: 'declared',
      help: 'What the model is fed with. From Z3 on ranges are computed from it.',
      when: { level: ['Z3', 'Z4'] },
      choices: [
        {
          value: 'declared',
          label: 'As declared',
          help: 'As the chosen dataset prepares them; normalised where it does not say, or none is chosen. Its samples are not looked at.',
        },
        ...inputKinds.map(({ value, label, help }) => ({ value, label, help })),
      ],
    },
    {
      id: 'perChannel',
      label: 'Weight scales',
      kind: 'switch',
      default: true,
      on: 'One for each output channel',
      off: 'One for the tensor',
      help: 'One scale for the whole tensor is what some accelerators want; from Z2 on it loses little.',
    },
  ],
  ops: ['Conv', 'Gemm', 'MatMul'],
};

const reaches = ({ level }: Params, wanted: Level): boolean => levels.indexOf(level as Level) >= levels.indexOf(wanted);

export const zeroShot: Method = {
  card,

  fits(subject, site, params) {
    const already = dequantizedAlready(site);
    if (already) return already;
    if (!card.ops.includes(site.op) || site.domain !== '')
      return refusal(site, `zero-shot does not know ${site.op}.`, 'Use weight-only or int8-dynamic for it.');
    const type = computeType(site, subject.shapes);
    const unfit = unfitType(site, type);
    if (unfit) return unfit;
    const reason = weightReason(site);
    if (reason) return refusal(site, reason, 'Use weight-only for a smaller file.');
    const isStatic = reaches(params, 'Z3');
    if (isStatic) {
      const why = staticReason(subject, site, type);
      if (why) return refusal(site, `Level ${params.level} cannot hold here. ${why}`, 'Use level Z2, or int8-static.');
    }
    const bytes = isStatic
      ? integerBytes(site, params.perChannel === true)
      : uniformBytes(site, params.perChannel === true);
    if (bytes >= storedBytes(site.tensor))
      return refusal(
        site,
        `With its scales it would take ${bytes} bytes, and it takes ${storedBytes(site.tensor)} now.`,
      );
    return null;
  },

  warnings(_subject, _site, params) {
    if (reaches(params, 'Z3')) return [];
    return ['Smaller, not faster here: only weights are in 8 bits up to Z2.'];
  },

  async *apply(subject, targets, workshop) {
    const params = targets[0]?.params;
    if (!params) return subject.model;
    for (const target of targets)
      for (const key of ['level', 'inputs'])
        if (target.params[key] !== params[key])
          refuse(
            'bad-recipe',
            `${key} of zero-shot is one for all layers of a step, and ${target.site.name} overrides it.`,
          );
    const chosen = new Set(targets.map(({ site }) => site.name));
    let now = subject;
    let rescaled: ReadonlySet<string> = new Set();
    if (reaches(params, 'Z2')) {
      now = (await foldBatchNorms(now, chosen, workshop)).subject;
      ({ subject: now, rescaled } = await equalizedSubject(now, chosen, workshop, 'ranges'));
    }
    const unitsOf = (layer: string): string[] => (rescaled.has(layer) ? [layer] : []);
    const sites = new Map(now.sites.map((site) => [site.name, site]));
    const settled = targets.map((target) => ({ ...target, site: sites.get(target.site.name)! }));
    const rounding = reaches(params, 'Z1') ? 'mse' : 'nearest';
    const note = `Zero-shot level ${params.level}: no sample was looked at.`;
    if (!reaches(params, 'Z3')) {
      const rewrite = new Rewrite(now.model);
      const shelf = new Shelf(now, rewrite, workshop);
      for (const { site, params: own } of settled) {
        const shelved = await putUniform(rewrite, shelf, site, own.perChannel === true, rounding);
        const notes = [note, ...keptBeside(now, site, chosen)];
        yield { layer: site.name, error: shelved.loss, notes, rescaled: unitsOf(site.name) };
      }
      return rewrite.finish();
    }
    const inputs = inputsAre(params, workshop.gathering?.declared);
    if (reaches(params, 'Z4')) now = await correctBiases(now, settled, inputs, workshop);
    const corrected = new Map(now.sites.map((site) => [site.name, site]));
    const last = settled.map((target) => ({ ...target, site: corrected.get(target.site.name)! }));
    const plan = planQdq(now, last);
    const ranges = workshop.gathering ? await rangesWithoutData(now, observedValues(plan), inputs) : null;
    const writer = new QdqWriter(now, plan, { type: 'uint8', symmetric: false }, ranges, workshop, rounding);
    await writer.joins();
    for (const { site, params: own } of last) {
      const cut = await writer.product(plan.products.get(site.name)!, own.perChannel === true);
      yield {
        ...cut,
        notes: [note, ...inputNotes(params, now, workshop.gathering), ...cut.notes],
        rescaled: unitsOf(site.name),
      };
    }
    return writer.finish();
  },
};

/** Of each input: as the dataset declares it, or the kind that is chosen. */
function inputsAre({ inputs }: Params, declared?: ReadonlyMap<string, InputMoments>): (name: string) => InputMoments {
  const kind = inputKinds.find(({ value }) => value === inputs) ?? inputKinds[0]!;
  return (name) => (inputs === 'declared' ? declared?.get(name) : undefined) ?? kind.moments;
}

/** What stands behind ranges and corrections, where the recipe leaves it to the dataset. */
function inputNotes({ inputs }: Params, { model }: Subject, gathering: Gathering | null): string[] {
  if (inputs !== 'declared' || !gathering) return [];
  const isDeclared = model.graph.inputs.some(({ name }) => gathering.declared.has(name));
  return [
    isDeclared
      ? 'Inputs are taken as the dataset declares them.'
      : 'Nothing is declared about the inputs: they are taken to be normalised.',
  ];
}

/** Why activations around the layer cannot be put on a grid without data. */
function staticReason(subject: Subject, site: Subject['sites'][number], type: string | null): string | null {
  if (site.graph !== subject.model.graph) return 'It is inside a branch.';
  if (type !== 'float32') return 'Activations are quantized only from float32.';
  if (site.op === 'Gemm' && readInt(site.node, 'transA', 0) !== 0) return 'It multiplies its input transposed.';
  const { known, lost } = foreseen(subject.model.graph, subject.shapes);
  const input = site.node.inputs[0] ?? '';
  if (!known.has(input))
    return `What it is fed with is not known without data: ${lost.get(input) ?? 'another input'} stands before it.`;
  return surroundingReason(subject, site);
}

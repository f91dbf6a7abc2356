// Static int8: weights and activations in 8 bits, the ranges of activations learnt from calibration samples, written as QDQ.
import type { MethodCard } from '../../contract/words/method';
import type { Refusal } from '../../contract/words/refusal';
import type { LayerSite } from '../graph/layers';
import { consumers } from '../graph/walk';
import { observeRanges } from '../measure/activations';
import type { RangeRule } from '../measure/activations-range';
import { foldBatchNorms } from './cutting/fold';
import { keptNorms } from './cutting/fold-find';
import type { Gathering } from './cutting/gathering';
import { IntegerLstms, lstmOrder, lstmReason, recurrentStays } from './cutting/integer-lstm';
import { dequantizedAlready, insteadUse, keepIt, refusal, unfitType } from './cutting/judge';
import { computeType } from './cutting/matrix';
import { bytesNow, totalBytes } from './cutting/order';
import { integerRefusal, refuseMixed, saturates } from './cutting/qdq-fit';
import type { ActivationKind } from './cutting/qdq-grid';
import { planQdq, type QdqPlan } from './cutting/qdq-plan';
import { observedValues, QdqWriter } from './cutting/qdq-write';
import { Shelf } from './cutting/shelf';
import type { Method, Params, Subject } from './method';

const card: MethodCard = {
  id: 'int8-static',
  title: 'Static int8',
  family: 'quantize',
  help: 'Weights and activations in 8 bits. The range of each activation is learnt beforehand from calibration samples, so that nothing is measured while the model runs: the fastest form for convolutions and large batches on a CPU, a quarter of the bytes. BatchNormalization is folded in, biases become 32-bit integers, and ReLU costs nothing.',
  needs: ['weights', 'activations', 'data'],
  params: [
    {
      id: 'calibration',
      label: 'Calibration',
      kind: 'choice',
      default: 'minmax',
      help: 'How the range of an activation is chosen from what was seen.',
      choices: [
        {
          value: 'minmax',
          label: 'Min–max',
          help: 'All of it: nothing is clipped, and one outlier widens every step.',
        },
        { value: 'percentile', label: 'Percentile', help: 'The rarest values at both ends are clipped.' },
        {
          value: 'entropy',
          label: 'Entropy',
          help: 'The clip that changes the distribution least (Kullback–Leibler).',
        },
        { value: 'mse', label: 'Squared error', help: 'The clip with the least expected squared error.' },
      ],
    },
    {
      id: 'percentile',
      label: 'Values kept',
      kind: 'number',
      unit: '%',
      default: 99.99,
      min: 90,
      max: 100,
      step: 0.01,
      help: 'Share of values inside the range; the rest is clipped, half at each end.',
      when: { calibration: ['percentile'] },
    },
    {
      id: 'samples',
      label: 'Samples',
      kind: 'number',
      default: 128,
      min: 1,
      max: 100_000,
      integer: true,
      logarithmic: true,
      help: 'Calibration samples to look at, from the first on. Memory does not grow with them.',
    },
    {
      id: 'perChannel',
      label: 'Weight scales',
      kind: 'switch',
      default: true,
      on: 'One for each output channel',
      off: 'One for the tensor',
      help: 'Channels of very different size need their own scale; it costs nothing here.',
    },
    {
      id: 'activations',
      label: 'Activations',
      kind: 'choice',
      default: 'uint8',
      help: 'On x64 choose uint8: where a value is used twice, int8 is not fused. Some accelerators know only one; ARM was not measured.',
      choices: [
        { value: 'uint8', label: 'uint8' },
        { value: 'int8', label: 'int8' },
      ],
    },
    {
      id: 'symmetric',
      label: 'Activation zero',
      kind: 'switch',
      default: false,
      on: 'At the middle of the grid',
      off: 'Wherever the range puts it',
      help: 'Some accelerators want it at the middle. Values that are never negative keep it at the lowest code, or ReLU would be computed apart.',
    },
  ],
  ops: ['Conv', 'Gemm', 'MatMul', 'LSTM'],
};

export const int8Static: Method = {
  card,

  samplesOf: ({ samples }) => Number(samples),

  fits(subject, site, params, chosen) {
    const already = dequantizedAlready(site);
    if (already) return already;
    if (site.op === 'GRU' || site.op === 'RNN')
      return refusal(site, recurrentStays(site.op), 'Use weight-only for a smaller file.');
    if (site.op === 'LSTM' && site.domain === '') return lstmRefusal(subject, site, chosen);
    return integerRefusal(subject, site, params.perChannel === true);
  },

  warnings({ model }, { node, op }, { activations }) {
    if (op === 'LSTM') return [onTheFly];
    const warnings = saturates();
    const users = consumers(model.graph);
    const isShared = [node.inputs[0]!, node.outputs[0]!].some((value) => (users.get(value)?.length ?? 0) > 1);
    if (process.arch === 'x64' && activations === 'int8' && isShared) warnings.push(losesFusion);
    return warnings;
  },

  async *apply(subject, targets, workshop) {
    const params = targets[0]?.params;
    if (!params) return subject.model;
    refuseMixed(targets, card.id, ['perChannel']);
    const chosen = new Set(targets.map(({ site }) => site.name));
    const { subject: folded, folded: joined } = await foldBatchNorms(subject, chosen, workshop, 'behind');
    const now = new Map(folded.sites.map((site) => [site.name, site]));
    const settled = targets.map((target) => ({ ...target, site: now.get(target.site.name)! }));
    const plan = planQdq(
      folded,
      settled.filter(({ site }) => site.op !== 'LSTM'),
    );
    const kept = keptNorms(folded, chosen);
    const observed =
      workshop.gathering && plan.products.size > 0 ? await observe(folded, plan, params, workshop.gathering) : null;
    const writer = new QdqWriter(folded, plan, kindOf(params), observed?.ranges ?? null, workshop);
    await writer.joins();
    const lstms = new IntegerLstms(folded, writer.rewrite, new Shelf(folded, writer.rewrite, workshop));
    for (const { site, params: own } of settled) {
      if (site.op === 'LSTM') {
        yield { layer: site.name, error: (await lstms.put(site)).loss, notes: [] };
        continue;
      }
      const product = plan.products.get(site.name)!;
      const cut = await writer.product(product, own.perChannel === true);
      const notes = [...cut.notes];
      if (joined.has(site.name)) notes.push('BatchNormalization is folded into it.');
      notes.push(...kept.filter(({ layer }) => layer === site.name).map(({ sentence }) => sentence));
      if (observed?.notFinite.includes(product.input)) notes.push('Its input held values that are not numbers.');
      yield { ...cut, notes };
    }
    return writer.finish();
  },
};

/** The integer LSTM quantizes its activations as they come: it is the same whether ranges were learnt or not. */
function lstmRefusal(subject: Subject, site: LayerSite, chosen?: ReadonlySet<string>): Refusal | null {
  const type = computeType(site, subject.shapes);
  const unfit = unfitType(site, type);
  if (unfit) return unfit;
  const smaller = insteadUse('weight-only');
  if (type !== 'float32') return refusal(site, 'Activations are quantized on the fly only from float32.', smaller);
  const reason = lstmReason(subject, site, chosen);
  if (reason) return refusal(site, reason, smaller);
  const order = lstmOrder(site);
  if (totalBytes(order) < bytesNow(order)) return null;
  const [after, before] = [totalBytes(order), bytesNow(order)];
  return refusal(site, `With its scales it would take ${after} bytes, and it takes ${before} now.`, keepIt);
}

const onTheFly =
  'Its activations are quantized on the fly: the runtime has no integer LSTM with ranges learnt beforehand.';

function kindOf({ activations, symmetric }: Params): ActivationKind {
  return { type: activations === 'int8' ? 'int8' : 'uint8', symmetric: symmetric === true };
}

function ruleOf(params: Params): RangeRule {
  const kind = params.calibration as RangeRule['kind'];
  return kind === 'percentile' ? { kind, percent: Number(params.percentile) } : { kind };
}

function observe({ model }: Subject, plan: QdqPlan, params: Params, gathering: Gathering) {
  const { calibration, folder, signal, tell } = gathering;
  if (!calibration) throw new Error('static int8 was begun without calibration samples');
  return observeRanges({
    model,
    values: observedValues(plan),
    rule: ruleOf(params),
    calibration,
    samples: Number(params.samples),
    folder,
    signal,
    onSample: (done, total) => tell(`Static int8, sample ${done} of ${total}`, done, total),
  });
}

/** On x64 the runtime rewrites int8 activations to uint8, but not where several nodes read one value: the types around it differ then. */
const losesFusion =
  'On x64 this runtime does not fuse int8 activations where a value is used twice, and such layers run slower than float. Choose uint8.';

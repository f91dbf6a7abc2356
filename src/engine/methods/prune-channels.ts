// Structured pruning: whole channels, neurons and heads go, in every tensor that has them, and the model really shrinks.
import type { MethodCard } from '../../contract/words/method';
import { type ChannelGroup, type ChannelGroups, channelGroups } from '../graph/groups/groups';
import { sliced } from '../graph/groups/surgery';
import { type ChannelChoice, type CostKind, chooseChannels, sizesOf } from './cutting/channel-events';
import { taylorScores } from './cutting/channel-gradients';
import { activationScores, type Criterion, gainScores, hasGain, weightScores } from './cutting/channel-scores';
import type { Gathering } from './cutting/gathering';
import { dequantizedAlready, keepIt, refusal } from './cutting/judge';
import { oneSetting } from './cutting/training';
import type { Method, Need, Params, Subject } from './method';

const card: MethodCard = {
  id: 'prune-channels',
  title: 'Prune channels',
  family: 'prune',
  help: 'Takes whole channels, neurons and attention heads out of the model: every tensor that has them becomes smaller, through joins, concatenations, norms and gates, so the file is smaller and the model faster on any device. Accuracy falls: follow it with finetune or distill. Channels of the model’s inputs and outputs stay, and so does what a norm or a softmax goes over.',
  needs: ['weights'],
  params: [
    {
      id: 'target',
      label: 'Target',
      help: 'What the ratio is of, over the whole model.',
      kind: 'choice',
      default: 'macs',
      choices: [
        { value: 'macs', label: 'Computation', help: 'Multiply-accumulates of one inference.' },
        { value: 'parameters', label: 'Parameters', help: 'Weights: the size of the file.' },
      ],
    },
    {
      id: 'ratio',
      label: 'Removed',
      help: 'Share of the target that goes. Sizes come in steps, so a little more may go.',
      kind: 'number',
      default: 0.3,
      min: 0,
      max: 0.95,
      step: 0.01,
    },
    {
      id: 'criterion',
      label: 'Importance',
      help: 'Which channels go first, within what hangs together.',
      kind: 'choice',
      default: 'l2',
      choices: [
        {
          value: 'l2',
          label: 'Weights, L2',
          help: 'Root of the sum of squares of all weights that go with a channel.',
        },
        { value: 'l1', label: 'Weights, L1', help: 'Sum of the magnitudes of all weights that go with a channel.' },
        { value: 'batchnorm', label: 'Norm gains', help: 'Gains of the batch norms a channel passes.' },
        { value: 'activation', label: 'Activations', help: 'How loud a channel is on calibration samples.' },
        {
          value: 'taylor',
          label: 'Gradients',
          help: 'What the loss on train samples would change by without the channel, to first order. Labels needed.',
        },
        {
          value: 'taylor-second',
          label: 'Gradients, second order',
          help: 'The same with the curvature along each weight, as squared gradients tell it.',
        },
      ],
    },
    {
      id: 'scope',
      label: 'Ratio of layers',
      help: 'How what goes is spread over the layers.',
      kind: 'choice',
      default: 'uniform',
      choices: [
        { value: 'uniform', label: 'Equal', help: 'Every group of layers loses the same share.' },
        { value: 'global', label: 'Ranked', help: 'The least important channels of the whole model go.' },
      ],
      when: { criterion: ['l1', 'l2', 'batchnorm'] },
    },
    {
      id: 'multiple',
      label: 'Multiple of',
      help: 'Channels of every layer stay a multiple of this: kernels of most devices take 8 at a time.',
      kind: 'choice',
      default: 8,
      choices: [1, 2, 4, 8, 16, 32].map((value) => ({ value, label: String(value) })),
    },
    {
      id: 'samples',
      label: 'Samples',
      help: 'Samples it listens to: of calibration, or of train for gradients.',
      kind: 'number',
      default: 64,
      min: 1,
      max: 4096,
      integer: true,
      when: { criterion: ['activation', 'taylor', 'taylor-second'] },
    },
  ],
  ops: ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Gather', 'Einsum'],
};

const groupsOf = ({ model, shapes, sites }: Subject): ChannelGroups => channelGroups(model, shapes, sites);

/** Groups that may be cut with these settings, all of whose makers are among the chosen layers. */
function eligible(groups: ChannelGroups, params: Params, chosen: ReadonlySet<string> | undefined): ChannelGroup[] {
  return groups.list.filter(
    (group) =>
      group.reason === null &&
      (!chosen || group.makers.every((name) => chosen.has(name))) &&
      sizesOf(group, Number(params.multiple)).length > 0 &&
      (params.criterion !== 'batchnorm' || hasGain(groups.trace, group)),
  );
}

/** What a criterion must be shown. */
const listens: Partial<Record<Criterion, Need[]>> = {
  activation: ['activations'],
  taylor: ['gradients'],
  'taylor-second': ['gradients'],
};

export const pruneChannels: Method = {
  card,

  needs: ({ criterion }) => ['weights', ...(listens[criterion as Criterion] ?? [])],
  samplesOf: ({ criterion, samples }) => (listens[criterion as Criterion] ? Number(samples) : 0),

  fits(subject, site, params, chosen) {
    const already = dequantizedAlready(site);
    if (already) return already;
    const groups = groupsOf(subject);
    const reason = groups.reasons.get(site.name);
    if (reason !== undefined) return refusal(site, `Its output channels all stay: ${reason}.`, keepIt);
    const own = (groups.byLayer.get(site.name) ?? []).filter((group) => group.reason === null);
    const fit = new Set(eligible(groups, params, chosen));
    if (own.some((group) => fit.has(group))) return null;
    const missing = own.flatMap(({ makers }) => makers.filter((name) => chosen && !chosen.has(name)));
    if (missing.length > 0)
      return refusal(
        site,
        `It shares its channels with ${[...new Set(missing)].join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} left out.`,
        'Take all or none.',
      );
    if (params.criterion === 'batchnorm' && own.every((group) => !hasGain(groups.trace, group)))
      return refusal(site, 'No batch norm scales its channels.', 'Choose another criterion.');
    const count = own.map(({ units, width }) => units.length * width).join(' and ');
    return refusal(
      site,
      `It has ${count} channels; in multiples of ${params.multiple} none can go.`,
      'Choose a smaller multiple.',
    );
  },

  warnings() {
    return [];
  },

  async *apply(subject, targets, workshop) {
    const params = oneSetting(targets, card.title);
    if (!params) return subject.model;
    const groups = groupsOf(subject);
    const { trace } = groups;
    const own = eligible(groups, params, new Set(targets.map(({ site }) => site.name)));
    const ask = {
      subject,
      trace,
      groups: own,
      cost: params.target as CostKind,
      ratio: Number(params.ratio),
      multiple: Number(params.multiple),
    };
    // What samples say decides which channels go, never how many: the sizes are known before the run.
    const isRanked = params.scope === 'global' && !listens[params.criterion as Criterion] && !isForeseen(subject);
    const scope = isRanked ? 'global' : 'uniform';
    const isComputed = isRanked || workshop.gathering !== null;
    const scores = isComputed ? await scoresOf(subject, groups, own, params, workshop.gathering) : null;
    const choice = chooseChannels({ ...ask, scope, scores });
    const model = await sliced(trace, choice.gone, workshop.make);
    const note = noteOf(choice, params);
    for (const { site } of targets) yield { layer: site.name, error: null, notes: [note] };
    return model;
  },
};

/** A forecast behind a step that makes new weights: they have sizes and no values yet, and cannot be ranked. */
function isForeseen({ sites }: Subject): boolean {
  return sites.some(({ tensor: { data } }) => data.kind === 'file' && data.file === '');
}

function scoresOf(
  subject: Subject,
  { trace }: ChannelGroups,
  groups: readonly ChannelGroup[],
  { criterion, samples }: Params,
  gathering: Gathering | null,
): Promise<ReadonlyMap<number, number>> {
  const kind = criterion as Criterion;
  switch (kind) {
    case 'l1':
    case 'l2':
      return weightScores(subject, trace, groups, kind);
    case 'batchnorm':
      return gainScores(trace, groups);
    case 'activation':
      return activationScores(subject, trace, groups, Number(samples), gathering!);
    case 'taylor':
    case 'taylor-second':
      return taylorScores(subject, trace, groups, { samples: Number(samples), kind, title: card.title }, gathering!);
    default:
      return kind satisfies never;
  }
}

function noteOf({ removed }: ChannelChoice, { ratio, target }: Params): string {
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  const what = target === 'macs' ? 'multiply-accumulates' : 'parameters';
  return removed >= Number(ratio)
    ? `${share(removed)} of the model’s ${what} went.`
    : `Only ${share(removed)} of the model’s ${what} could go, not ${share(Number(ratio))}: a tenth of every group stays, in the multiple asked for, and so does all that cannot be cut.`;
}

// Keys and values of a language model, kept in 8 or 4 bits between tokens: the memory that grows with the conversation.
import type { MethodCard } from '../../contract/words/method';
import { refuse } from '../../contract/words/refusal';
import { intAttribute, stringAttribute, withAttributes, withInputs } from '../graph/edit';
import type { LayerSite } from '../graph/layers';
import { cacheScales } from './cutting/cache-scales';
import { type Cache, cachesOf, pastInputs, presentOutputs, scaleInputs, withCodes } from './cutting/caches';
import { keepIt, refusal } from './cutting/judge';
import { Rewrite } from './cutting/rewrite';
import type { Method, Subject } from './method';

const card: MethodCard = {
  id: 'kv-cache',
  title: 'KV cache',
  family: 'quantize',
  help: 'Keeps the keys and values of GroupQueryAttention in 8 or 4 bits: the cache takes a quarter or an eighth of its memory, and so do the model’s past and present. Scales are learnt from samples. Layers that make keys and values are chosen, their weights stay as they are; it goes together with weight-only.',
  needs: ['weights', 'data'],
  params: [
    {
      id: 'bits',
      label: 'Bits',
      help: 'Bits of each key and value.',
      kind: 'choice',
      default: 8,
      precision: true,
      choices: [
        { value: 8, label: '8', help: 'Loses next to nothing.' },
        { value: 4, label: '4', help: 'Two in a byte. It can cost more than weights in 4 bits: measure.' },
      ],
    },
    {
      id: 'perChannel',
      label: 'Scales',
      help: 'Some channels of keys are much louder than others; one scale for each holds them all.',
      kind: 'switch',
      default: true,
      on: 'One for each channel of each head',
      off: 'One for all keys, one for all values',
    },
    {
      id: 'samples',
      label: 'Samples',
      help: 'Calibration samples that pass through the model. Above a billion parameters they end at 8,192 tokens.',
      kind: 'number',
      default: 128,
      min: 1,
      max: 4096,
      integer: true,
      logarithmic: true,
    },
  ],
  ops: ['MatMul', 'Gemm', 'MatMulNBits'],
};

/** Caches of which every maker is taken. */
function chosenCaches(subject: Subject, chosen: ReadonlySet<string>): Cache[] {
  return cachesOf(subject).filter(({ makers, reason }) => !reason && makers.every(({ name }) => chosen.has(name)));
}

export const kvCache: Method = {
  card,

  fits(subject, site, params, chosen) {
    const cache = cachesOf(subject).find(({ makers }) => makers.includes(site));
    if (!cache) return refusal(site, 'No GroupQueryAttention keeps what it makes.', keepIt);
    if (cache.reason) return refusal(site, cache.reason, keepIt);
    if (params.bits === 4 && cache.size % 2 !== 0)
      return refusal(site, `Heads of ${cache.size} channels do not fill bytes with 4 bits.`, 'Use 8 bits.');
    const missing = cache.makers.filter(({ name }) => chosen && !chosen.has(name));
    if (missing.length === 0) return null;
    return refusal(
      site,
      `It shares its cache with ${missing.map(({ name }) => name).join(' and ')}, which is left out.`,
      'Take all or none.',
    );
  },

  samplesOf: ({ samples }) => Number(samples),

  warnings() {
    return [];
  },

  async *apply(subject, targets, workshop) {
    const paramsOf = new Map(targets.map(({ site, params }) => [site, params]));
    const caches = chosenCaches(subject, new Set(targets.map(({ site }) => site.name)));
    const samples = Math.max(1, ...targets.map(({ params }) => Number(params.samples)));
    const parts = caches.flatMap(({ node, heads, size, makers }) => {
      const { bits, perChannel } = paramsOf.get(makers[0]!)!;
      const own = { channels: heads * size, bits: Number(bits), perChannel: perChannel === true };
      return presentOutputs.map((at) => ({ present: node.outputs[at]!, ...own }));
    });
    const gathering = parts.length > 0 ? workshop.gathering : null;
    const scales = gathering && (await cacheScales(subject, parts, gathering, samples, card.title));
    const rewrite = new Rewrite(subject.model);
    const notes = new Map<LayerSite, string>();
    const declared = new Map(
      [...subject.model.graph.inputs, ...subject.model.graph.outputs].map((one) => [one.name, one]),
    );
    for (const { node, heads, size, makers } of caches) {
      const { bits, perChannel } = paramsOf.get(makers[0]!)!;
      const other = makers.find((one) =>
        ['bits', 'perChannel'].some((key) => paramsOf.get(one)![key] !== paramsOf.get(makers[0]!)![key]),
      );
      if (other)
        refuse('bad-recipe', `${makers[0]!.name} and ${other.name} share a cache, and their overrides differ.`);
      const dims = perChannel ? [1, heads, 1, size] : [1];
      const inputs = Array.from({ length: 14 }, (_, i) => node.inputs[i] ?? '');
      for (const [i, present] of presentOutputs.entries()) {
        const name = node.outputs[present]!;
        const length = perChannel ? heads * size : 1;
        const data = await workshop.make(
          4 * length,
          async () => new Uint8Array(scales!.get(name)!.buffer as ArrayBuffer),
        );
        inputs[scaleInputs[i]!] = rewrite.store(subject.model.graph, `${name}_scale`, 'float32', dims, data).name;
        for (const value of [name, node.inputs[pastInputs[i]!]!])
          declared.set(value, withCodes(declared.get(value)!, Number(bits), size));
      }
      const type = stringAttribute(perChannel ? 'PER_CHANNEL' : 'PER_TENSOR');
      const quantized = withAttributes(withInputs(node, inputs), {
        k_quant_type: type,
        v_quant_type: type,
        kv_cache_bit_width: intAttribute(Number(bits)),
      });
      rewrite.replace({ graph: subject.model.graph, node, nodeName: node.name }, [quantized]);
      const bytes = (each: number): number => (2 * heads * size * each) / 8;
      for (const maker of makers)
        notes.set(maker, `Its cache takes ${bytes(Number(bits))} bytes for each token instead of ${bytes(32)}.`);
    }
    for (const { site } of targets) yield { layer: site.name, error: null, notes: [notes.get(site)!] };
    const model = rewrite.finish();
    const ports = (values: typeof model.graph.inputs) => values.map((value) => declared.get(value.name)!);
    const graph = { ...model.graph, inputs: ports(model.graph.inputs), outputs: ports(model.graph.outputs) };
    return { ...model, graph };
  },
};

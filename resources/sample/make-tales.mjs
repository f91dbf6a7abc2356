// Makes the language sample that ships with Lathe: tales told by a grammar, and a small Llama that Lathe itself trains on them.
//
//   npm run build && npx node resources/sample/make-tales.mjs
//
// Leaves beside itself: tales.onnx, and tales/ with dataset.json, token ids, a character tokenizer and the training recipe.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from './draw.mjs';
import { drawLlama } from './llama.mjs';
import { tellMany } from './tell.mjs';
import { train } from './train.mjs';

const home = join(import.meta.dirname, 'tales');
const special = ['<unk>', '<s>', '</s>'];
const splits = {
  train: tellMany(1200, seeded(2026)),
  validation: tellMany(100, seeded(33)),
  test: tellMany(150, seeded(4052)),
};
const characters = [...new Set(Object.values(splits).flat().join(''))].sort();
const vocabulary = new Map([...special, ...characters].map((one, id) => [one, id]));
const encode = (tale) => [1, ...Array.from(tale, (one) => vocabulary.get(one)), 2];

const write = (name, value, indent) => writeFileSync(join(home, name), `${JSON.stringify(value, null, indent)}\n`);

function writeDataset() {
  mkdirSync(home, { recursive: true });
  for (const [name, tales] of Object.entries(splits)) write(`${name}.json`, tales.map(encode));
  const named = Object.fromEntries(Object.keys(splits).map((name) => [name, { inputs: `${name}.json` }]));
  const spec = { lathe: 1, name: 'tales', task: 'language-modelling', text: { contextLength: 448 }, splits: named };
  write('dataset.json', spec, 2);
}

/** Each character is a token: byte pairs without a single merge. */
function writeTokenizer() {
  const added = special.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const bos = { SpecialToken: { id: '<s>', type_id: 0 } };
  const text = (id) => ({ Sequence: { id, type_id: 0 } });
  write('tokenizer.json', {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing',
      single: [bos, text('A')],
      pair: [bos, text('A'), text('B')],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: { type: 'Fuse' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(vocabulary),
      merges: [],
    },
  });
  write('tokenizer_config.json', { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', add_bos_token: true }, 2);
}

const doc = 'Tells small tales of a workshop, letter by letter. Made by resources/sample/make-tales.mjs.';
const size = { vocabulary: vocabulary.size, context: 512, width: 64, layers: 4, heads: 4, keyHeads: 2, inner: 176 };

writeDataset();
writeTokenizer();
train({
  start: drawLlama({ ...size, doc, metadata: { licence: 'Apache-2.0' } }, seeded(7)),
  data: home,
  recipe: join(home, 'training.json'),
  to: join(import.meta.dirname, 'tales.onnx'),
});

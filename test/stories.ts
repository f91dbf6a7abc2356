// The small language model of the test data and what it is measured on: paragraphs encoded by its own tokenizer, and ids it made itself.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testData } from './data';

export const storiesModel = testData('models/stories260K/model.onnx');

/** Byte pairs by rank, bytes where a character has no token; BOS first. */
export function storiesEncoder(): (text: string) => number[] {
  const { model } = JSON.parse(readFileSync(testData('models/stories260K/tokenizer.json'), 'utf8'));
  const vocabulary = new Map<string, number>(Object.entries(model.vocab));
  const rank = new Map<string, number>(
    model.merges.map((merge: string | string[], i: number) => [[merge].flat().join(' '), i]),
  );
  const bytes = (character: string) =>
    [...new TextEncoder().encode(character)].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  return (text) => {
    const parts = [...`▁${text.replaceAll(' ', '▁')}`].flatMap((one) => (vocabulary.has(one) ? [one] : bytes(one)));
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      let at = -1;
      for (let i = 0; i + 1 < parts.length; i++) {
        const found = rank.get(`${parts[i]} ${parts[i + 1]}`) ?? Number.POSITIVE_INFINITY;
        if (found < best) [best, at] = [found, i];
      }
      if (at < 0) break;
      parts.splice(at, 2, parts[at]! + parts[at + 1]!);
    }
    return [1, ...parts.map((part) => vocabulary.get(part)!)];
  };
}

/** The paragraphs of the manifest's protocol: blank lines between, more than 200 characters, at most 512 ids. */
export function storiesParagraphs(): number[][] {
  const encode = storiesEncoder();
  return readFileSync(testData('data/text/tinystories-sample.txt'), 'utf8')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => [...paragraph].length > 200)
    .map((paragraph) => encode(paragraph).slice(0, 512));
}

/** Two datasets with one calibration split, the odd paragraphs: tested on the even ones, and on ids the model made itself. */
export function writeStories(folder: string): { paragraphs: string; selfgen: string } {
  const all = storiesParagraphs();
  const write = (name: string, place: (test: string) => void): string => {
    const home = join(folder, name);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'calibration.json'), JSON.stringify(all.filter((_, i) => i % 2 === 1)));
    place(join(home, 'test.json'));
    const splits = { calibration: { inputs: 'calibration.json' }, test: { inputs: 'test.json' } };
    writeFileSync(join(home, 'dataset.json'), JSON.stringify({ lathe: 1, name, task: 'language-modelling', splits }));
    return home;
  };
  return {
    paragraphs: write('paragraphs', (test) => writeFileSync(test, JSON.stringify(all.filter((_, i) => i % 2 === 0)))),
    selfgen: write('selfgen', (test) => copyFileSync(testData('models/stories260K/selfgen_ids.json'), test)),
  };
}

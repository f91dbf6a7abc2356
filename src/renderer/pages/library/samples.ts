// The samples that ship with Lathe, in words.
import type { SampleName } from '../../../contract/words/sample';

interface SampleWords {
  title: string;
  about: string;
  /** As a link. */
  offer: string;
}

export const sampleWords: Record<SampleName, SampleWords> = {
  shapes: {
    title: 'Shapes',
    about: 'A small network that names drawn shapes, with 4,000 pictures.',
    offer: 'Shapes, a picture classifier',
  },
  tales: {
    title: 'Tales',
    about: 'A tiny Llama that writes tales of a workshop letter by letter, with 1,450 of them.',
    offer: 'Tales, a language model',
  },
};

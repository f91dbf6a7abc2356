// The list of dataset formats, and nothing else.
import { openCifar10 } from './cifar10-binary';
import { openCsv } from './csv';
import { openIdx } from './idx';
import { openImageFolder } from './image-folder';
import { openJsonl } from './jsonl';
import { openNpy } from './npy';
import { openNpz } from './npz';
import type { Source, SourceRequest } from './source';
import { openTokenIds } from './token-ids';

export const sources = {
  idx: openIdx,
  npy: openNpy,
  npz: openNpz,
  csv: openCsv,
  'image-folder': openImageFolder,
  'cifar10-binary': openCifar10,
  jsonl: openJsonl,
  'token-ids': openTokenIds,
} as const satisfies Record<string, (request: SourceRequest) => Promise<Source>>;

export type SourceFormat = keyof typeof sources;

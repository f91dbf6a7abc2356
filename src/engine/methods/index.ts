// The list of methods, and nothing else.
import { awqScale } from './awq-scale';
import { distill } from './distill';
import { equalize } from './equalize';
import { finetune } from './finetune';
import { float16 } from './float16';
import { int8Dynamic } from './int8-dynamic';
import { int8Static } from './int8-static';
import { kvCache } from './kv-cache';
import { lora } from './lora';
import type { Method } from './method';
import { pruneChannels } from './prune-channels';
import { pruneMagnitude } from './prune-magnitude';
import { pruneSparsegpt } from './prune-sparsegpt';
import { pruneWanda } from './prune-wanda';
import { qat } from './qat';
import { rotate } from './rotate';
import { smooth } from './smooth';
import { weightOnly } from './weight-only';
import { zeroShot } from './zero-shot';

export const methods = [
  float16,
  int8Dynamic,
  int8Static,
  weightOnly,
  kvCache,
  zeroShot,
  equalize,
  awqScale,
  smooth,
  rotate,
  pruneMagnitude,
  pruneWanda,
  pruneSparsegpt,
  pruneChannels,
  finetune,
  qat,
  distill,
  lora,
] as const satisfies readonly Method[];

// The list of methods, and nothing else.
import { equalize } from './equalize';
import { float16 } from './float16';
import { int8Dynamic } from './int8-dynamic';
import { int8Static } from './int8-static';
import type { Method } from './method';
import { weightOnly } from './weight-only';
import { zeroShot } from './zero-shot';

export const methods = [float16, int8Dynamic, int8Static, weightOnly, zeroShot, equalize] as const satisfies readonly Method[];

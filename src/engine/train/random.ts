// Randomness without a state to keep: each purpose and each step draws from its own sequence, so that a resumed training draws what an
// undisturbed one would.
import { mulberry32 } from '../measure/quality';

export type Purpose = 'order' | 'augment' | 'dropout' | 'adapter';

/** Numbers in [0, 1), the same for the same seed, purpose and index everywhere. */
export function randomFor(seed: number, purpose: Purpose, index: number): () => number {
  // FNV-1a over the three, then the finaliser of MurmurHash3: neighbouring indices must not give neighbouring sequences.
  let hash = 0x811c9dc5;
  for (const character of `${seed} ${purpose} ${index}`)
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return mulberry32((hash ^ (hash >>> 16)) >>> 0);
}

/** 0 … count−1 in a random order (Fisher and Yates). */
export function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}

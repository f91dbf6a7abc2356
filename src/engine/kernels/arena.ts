// The shared memory of all kernel threads: a slot for each thread's piece, then room for one tensor kept warm.
import { refuse } from '../../contract/words/refusal';
import type { Factor, Sequence } from './factor';
import { type Address, type WasmMemory, wasm } from './kernel-set';
import type { Hessian } from './kernels';

/*
 *   0        64 KiB    slot 0 (caller)   slot 1 (thread)   …        warm tensor
 *   | unused | ------- slotBytes ------- | ------------- | … | ------------------- | ≤ 1 GiB
 *
 * Addresses are reserved, memory is taken by the system page by page as it is touched. Shared memory grows and never shrinks.
 */
const page = 65536;
const mostBytes = 2 ** 30;
const firstSlot = page;
/** Fits every usual piece; a group of more than five million weights makes slots grow. */
const usualSlot = 64 * 2 ** 20;

/** The factor of a Hessian, for the next request with the same one. */
export interface KeptFactor {
  readonly data: WeakRef<Hessian['data']>;
  readonly damping: number;
  readonly sequence: Sequence;
  readonly factor: Factor;
}

export class Arena {
  readonly memory: WasmMemory = new wasm.Memory({ initial: 1, maximum: mostBytes / page, shared: true });
  readonly #slots: number;
  /** Names what lies in the warm room; null where nothing does. */
  warm: string | null = null;
  /** What lies behind the warm tensor. */
  factor: KeptFactor | null = null;
  #warmBytes = 0;
  #slotBytes = usualSlot;
  #bytes = page;

  constructor(slots: number) {
    this.#slots = slots;
    this.#cover(this.warmAddress);
  }

  slot(index: number): { start: Address; bytes: number } {
    return { start: firstSlot + index * this.#slotBytes, bytes: this.#slotBytes };
  }

  get warmAddress(): Address {
    return firstSlot + this.#slots * this.#slotBytes;
  }

  /** Room for a warm tensor with slots as they are. */
  get warmRoom(): number {
    return mostBytes - this.warmAddress;
  }

  /** Makes every slot at least `bytes` large; the warm tensor is given up where slots must grow. */
  growSlots(bytes: number, what: string): void {
    if (bytes <= this.#slotBytes) return;
    const wanted = Math.ceil(bytes / page) * page;
    if (firstSlot + this.#slots * wanted > mostBytes) {
      refuse(
        'does-not-fit',
        `${what} has groups too large for the kernels' memory of 1 GiB.`,
        'Choose a group size between 16 and 256.',
      );
    }
    this.#slotBytes = wanted;
    this.warm = null;
    this.factor = null;
    this.#cover(this.warmAddress);
  }

  /** Makes room behind the slots. */
  coverWarm(bytes: number): Address {
    this.factor = null;
    this.#warmBytes = bytes;
    this.#cover(this.warmAddress + bytes);
    return this.warmAddress;
  }

  /** Makes room for a factor behind the warm tensor, or in its place where both do not fit; null where it does not fit at all. */
  coverFactor(bytes: number): Address | null {
    this.factor = null;
    const behind = this.warm === null ? 0 : Math.ceil(this.#warmBytes / page) * page;
    if (bytes > this.warmRoom) return null;
    if (behind + bytes > this.warmRoom) this.warm = null;
    const address = this.warmAddress + (this.warm === null ? 0 : behind);
    this.#cover(address + bytes);
    return address;
  }

  #cover(bytes: number): void {
    if (bytes <= this.#bytes) return;
    const pages = Math.ceil((bytes - this.#bytes) / page);
    this.memory.grow(pages);
    this.#bytes += pages * page;
  }
}

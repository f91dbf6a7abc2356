// One thread's place to work: its slot of the shared memory, its kernels, and how a piece of any tensor becomes float32 there.
import { dequantize, packedBytes } from './dequantize';
import { type Address, instantiate, type KernelSet, type WasmMemory, type WasmModule } from './kernel-set';
import type { Dequantization } from './kernels';
import { plainKernels } from './reference/plain';
import { PieceReader, type Source } from './source';

/** A tensor as a thread sees it. */
export interface Weights {
  readonly source: Source;
  readonly element: 'float32' | 'float16' | 'bfloat16' | 'float64' | Dequantization;
}

export class Bench {
  readonly memory: WasmMemory;
  readonly fast: KernelSet;
  readonly plain: KernelSet;
  readonly reader: PieceReader;
  #start: Address = 0;
  #end: Address = 0;
  #next: Address = 0;

  /** Without a module the plain kernels do all the work. */
  constructor(memory: WasmMemory, module: WasmModule | null) {
    this.memory = memory;
    this.plain = plainKernels(memory);
    this.fast = module ? instantiate(module, memory) : this.plain;
    this.reader = new PieceReader(memory);
  }

  /** Gives the bench its slot; whatever was taken is given back. */
  moveTo(start: Address, bytes: number): void {
    this.#start = start;
    this.#end = start + bytes;
    this.#next = start;
  }

  /** Room in the slot until `mark` goes back to `to`; 64-byte aligned, contents unknown. */
  take(bytes: number): Address {
    const address = this.#next;
    this.#next = address + Math.ceil(bytes / 64) * 64;
    if (this.#next > this.#end) throw new Error(`a piece needs more than its slot of ${this.#end - this.#start} bytes`);
    return address;
  }

  mark(): Address {
    return this.#next;
  }

  release(to: Address): void {
    this.#next = to;
  }

  floats(at: Address, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count);
  }

  /** A copy that can be posted to another thread. */
  copy(at: Address, bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(new Uint8Array(this.memory.buffer, at, bytes));
  }

  /**
   * `count` elements from flat index `first` as float32; may be the warm tensor itself, so it is not written to. Fewer floats where packed
   * codes have padding.
   */
  load({ source, element }: Weights, first: number, count: number): { at: Address; length: number } {
    if (element === 'float32' && source.kind === 'arena') {
      return { at: this.#near(source.address + first * 4, count * 4), length: count };
    }
    const at = this.take(count * 4);
    return { at, length: this.loadInto(at, { source, element }, first, count) };
  }

  /** As `load`, to an address of the caller's. Answers how many floats there are: padding of packed codes is left out. */
  loadInto(at: Address, { source, element }: Weights, first: number, count: number): number {
    const mark = this.mark();
    switch (element) {
      case 'float32':
        this.reader.read(at, source, first * 4, count * 4);
        return count;
      case 'float16':
      case 'bfloat16': {
        let codes: Address;
        if (source.kind === 'arena') codes = this.#near(source.address + first * 2, count * 2);
        else {
          codes = this.take(count * 2);
          this.reader.read(codes, source, first * 2, count * 2);
        }
        if (element === 'float16') this.fast.decodeFloat16(at, codes, count);
        else this.fast.decodeBfloat16(at, codes, count);
        break;
      }
      case 'float64': {
        const doubles = this.take(count * 8);
        this.reader.read(doubles, source, first * 8, count * 8);
        this.floats(at, count).set(new Float64Array(this.memory.buffer, doubles, count));
        break;
      }
      default: {
        const bytes = packedBytes(count, element.bits);
        const codes = this.take(bytes);
        this.reader.read(codes, source, (first * element.bits) / 8, bytes);
        const packed = new Uint8Array(this.memory.buffer, codes, bytes);
        count = dequantize(this.floats(at, count), packed, first, count, element);
      }
    }
    this.release(mark);
    return count;
  }

  /** What a file or the caller's bytes were copied from is near already; the warm tensor is not. */
  #near(at: Address, bytes: number): Address {
    this.fast.touch(at, bytes);
    return at;
  }
}

// The kernels as both implementations have them: addresses in one shared memory, nothing allocated, nothing else known.
import type { PruningSet } from './pruning-set';
import type { RoundingSet } from './rounding-set';

/** The part of the WebAssembly interface that is used here; Node brings it, Node's types do not. */
interface WasmInterface {
  Memory: {
    new (limits: { initial: number; maximum: number; shared: true }): WasmMemory;
    new (limits: { initial: number; maximum: number }): { readonly buffer: ArrayBuffer };
  };
  Module: new (bytes: Uint8Array) => WasmModule;
  Instance: new (module: WasmModule, imports: { env: Record<string, unknown> }) => { exports: unknown };
}
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  /** In pages of 64 KiB; answers the number of pages before. */
  grow(pages: number): number;
}
/** Compiled code; can be posted to a thread. */
export type WasmModule = object;
export const wasm = (globalThis as unknown as { WebAssembly: WasmInterface }).WebAssembly;

/** Bytes from the start of the memory. Floats and doubles are aligned to 64 bytes where a kernel writes them. */
export type Address = number;

/** How weights lie for the kernels that work group by group: `lines` lines of `line` floats, groups of `group` along a line. */
export interface GroupLayout {
  readonly lines: number;
  readonly line: number;
  readonly group: number;
  /** Codes from one group to the next, the rest filled with the group's zero; 0 where codes lie as the weights do. */
  readonly padded: number;
}

/** `given`: scales and zeros are there already. */
export const rules = { 'signed-max': 0, restricted: 1, asymmetric: 2, given: 3 } as const;

/**
 * Those marked * need finite values and give NaN sums or unspecified counts otherwise; the plain kernels take everything.
 */
export interface KernelSet extends RoundingSet, PruningSet {
  /** Brings memory into the caches; the answer means nothing. */
  touch(from: Address, bytes: number): number;
  decodeFloat16(floats: Address, codes: Address, count: number): void;
  decodeBfloat16(floats: Address, codes: Address, count: number): void;
  encodeFloat16(codes: Address, floats: Address, count: number): void;
  /** * Writes seven float64 to `out`: min, max, zeros and the four power sums about `shift`. */
  powerSums(out: Address, floats: Address, count: number, shift: number): void;
  /** * Adds to 256 uint32 at `counts`; the 4 KiB behind them are scratch. */
  countBins(counts: Address, floats: Address, count: number, min: number, width: number): void;
  countBeyond(floats: Address, count: number, low: number, high: number): number;
  /** * Widens float32 ranges; the first value belongs to `channel` and is followed by `left` − 1 more of that channel. */
  widenRanges(
    min: Address,
    max: Address,
    floats: Address,
    count: number,
    channel: number,
    left: number,
    inner: number,
    channels: number,
  ): void;
  /** Transposes rows × columns floats into columns lines of `rows`. */
  transposeFloats(to: Address, from: Address, rows: number, columns: number): void;
  transposeCodes(to: Address, from: Address, rows: number, columns: number): void;
  /**
   * * Writes a code a weight, and float32 scale and uint8 zero a group; adds signal, noise and clipped to three float64 at `loss`.
   * `rule` as in `rules`.
   */
  quantizeGroups(
    codes: Address,
    scales: Address,
    zeros: Address,
    loss: Address,
    floats: Address,
    lines: number,
    line: number,
    group: number,
    padded: number,
    bits: number,
    rule: number,
  ): void;
  /** (code − zero) · scale */
  reconstructGroups(
    floats: Address,
    codes: Address,
    scales: Address,
    zeros: Address,
    lines: number,
    line: number,
    group: number,
    padded: number,
  ): void;
  /** Weight / scale; 0 where the scale is 0. */
  scaleGroups(to: Address, floats: Address, scales: Address, lines: number, line: number, group: number): void;
  /** Adds to 512 uint32 at `counts` how often code − zero + 256 occurs; the 8 KiB behind them are scratch. */
  countLevels(
    counts: Address,
    codes: Address,
    zeros: Address,
    lines: number,
    line: number,
    group: number,
    padded: number,
  ): void;
  /** Packs codes into bytes; `flip` is xored to each. The codes up to the next multiple of 64 are read. */
  packCodes(bytes: Address, codes: Address, count: number, bits: number, flip: number): void;
}

/** The SIMD kernels over a memory. */
export function instantiate(module: WasmModule, memory: WasmMemory): KernelSet {
  const abort = () => {
    throw new Error('a kernel met what it cannot do');
  };
  return new wasm.Instance(module, { env: { memory, abort } }).exports as KernelSet;
}

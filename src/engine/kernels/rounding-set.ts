// The kernels of the roundings that look further than the nearest level, as both implementations have them.
import type { Address } from './kernel-set';

/** Those marked * need finite values, as in `KernelSet`. Tiles are 128 × 128, row-major. */
export interface RoundingSet {
  /**
   * * Scales and zeros as `quantizeGroups` left them into clipped scales; quantize again with the rule `given`. `loudness`: what an error at each
   * weight of a line costs, float32, or 0 where all are alike. `scratch` takes a group.
   */
  clipScales(
    scales: Address,
    zeros: Address,
    floats: Address,
    loudness: Address,
    lines: number,
    line: number,
    group: number,
    bits: number,
    scratch: Address,
  ): void;
  /**
   * * As `quantizeGroups` with float32 zeros. Answers 0 where some group is too wide for the short way; everything but the weights is then
   * unspecified.
   */
  hqqGroups(
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
  ): number;
  /** (code − zero) · scale with float32 zeros. */
  reconstructFloats(
    floats: Address,
    codes: Address,
    scales: Address,
    zeros: Address,
    lines: number,
    line: number,
    group: number,
    padded: number,
  ): void;
  /** A float64 tile into its Cholesky factor. Answers 0, or 1 + the first row that is not positive. */
  factorTile(tile: Address): number;
  /** The inverse of a lower triangular float64 tile. */
  invertTile(inverse: Address, tile: Address): void;
  /** C −= A·Bᵀ; `scratch` takes two tiles. */
  subtractProduct(c: Address, a: Address, b: Address, scratch: Address): void;
  /** A ← A·Bᵀ; `scratch` takes two tiles. */
  multiplyBy(a: Address, b: Address, scratch: Address): void;
  /** See `unitTile` in reference/factor.ts; `scratch` takes a tile. */
  unitTile(tile: Address, diagonal: Address, panels: number, scratch: Address): void;
  /** to[lines][stride] ← from[lines][line] by the int32 `columnOf`, −1 for zero. */
  gatherPlaces(
    to: Address,
    from: Address,
    columnOf: Address,
    lines: number,
    line: number,
    stride: number,
    places: number,
  ): void;
  /**
   * current[lines][128] += lost·unit. `lost` lies in panels of four lines, [lines / 4][128][4], `unit` as `unitTile` makes panels; lines are a
   * multiple of four.
   */
  feedBack(current: Address, lost: Address, unit: Address, lines: number): void;
  /** current[0 … places) += lost·row, a row of a unit tile; the places up to the next multiple of four are added to as well. */
  feedBackPlace(current: Address, row: Address, places: number, lost: number): void;
  /**
   * See `roundPlaces` in reference/gptq.ts, for `lines` lines: `current` is [lines][128], `original` goes by `stride`, `lost` lies in panels,
   * `grid` is [lines][3][groups].
   */
  roundPlaces(
    codes: Address,
    codeStride: number,
    lost: Address,
    current: Address,
    original: Address,
    stride: number,
    unit: Address,
    weights: Address,
    lines: number,
    first: number,
    grid: Address,
    groups: number,
    groupOf: Address,
    codeOf: Address,
    top: number,
  ): number;
  /**
   * The float32 tile Σ x·xᵀ of the columns from `row` and `column` over `count` inputs of `line`, a multiple of two; columns beyond `line` are
   * zero. `scratch` takes count KiB.
   */
  multiplyInputs(
    out: Address,
    inputs: Address,
    line: number,
    count: number,
    row: number,
    column: number,
    scratch: Address,
  ): void;
}

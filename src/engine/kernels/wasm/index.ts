// The SIMD kernels. Addresses are byte offsets in the shared memory; see ../kernel-set.ts for what each one promises.
export { decodeFloat16, decodeBfloat16, encodeFloat16 } from "./convert";
export { powerSums } from "./moments";
export { countBins, countBeyond, countLevels } from "./histogram";
export { widenRanges } from "./ranges";
export { quantizeGroups, reconstructGroups, scaleGroups } from "./quantize";
export { clipScales } from "./clip";
export { hqqGroups, reconstructFloats } from "./hqq";
export { factorTile, invertTile, multiplyBy, subtractProduct, unitTile } from "./factor";
export { feedBack, feedBackPlace, gatherPlaces, multiplyInputs, roundPlaces } from "./gptq";
export { countMagnitudes, keepMasked, maskAbove, maskBelow, maskNeighbours } from "./prune";
export { packCodes } from "./pack";
export { transposeFloats, transposeCodes } from "./transpose";
export { touch } from "./touch";
export { nothing } from "./lanes";

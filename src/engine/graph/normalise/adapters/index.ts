// The adapters by operator and the version they lead to: the list and nothing else.
import type { Adapter } from '../adapter';
import { axes, clip, dft, pad, slice, splitCount, splitSizes, topK } from './attributes-to-inputs';
import { batchNormalizationSpatial, batchNormalizationTraining } from './batch-normalization';
import { dropoutMask, dropoutRatio } from './dropout';
import { groupNormalization } from './group-normalization';
import { gridSample, roiAlign, scatter } from './renamed';
import { resizeCoordinates, resizeModes, upsampleScales, upsampleToResize } from './resize';
import { softmax } from './softmax';
import { averagePool, scan } from './stays';

export const adapters: Readonly<Record<string, Readonly<Record<number, Adapter>>>> = {
  AveragePool: { 19: averagePool },
  BatchNormalization: { 9: batchNormalizationSpatial, 14: batchNormalizationTraining },
  Clip: { 11: clip },
  DFT: { 20: dft },
  Dropout: { 10: dropoutMask, 12: dropoutRatio },
  GridSample: { 20: gridSample },
  GroupNormalization: { 21: groupNormalization },
  Hardmax: { 13: softmax },
  LogSoftmax: { 13: softmax },
  Pad: { 11: pad },
  ReduceL1: { 18: axes },
  ReduceL2: { 18: axes },
  ReduceLogSum: { 18: axes },
  ReduceLogSumExp: { 18: axes },
  ReduceMax: { 18: axes },
  ReduceMean: { 18: axes },
  ReduceMin: { 18: axes },
  ReduceProd: { 18: axes },
  ReduceSum: { 13: axes },
  ReduceSumSquare: { 18: axes },
  Resize: { 11: resizeCoordinates, 13: resizeModes },
  RoiAlign: { 16: roiAlign },
  Scan: { 9: scan },
  Scatter: { 11: scatter },
  Slice: { 10: slice },
  Softmax: { 13: softmax },
  Split: { 13: splitSizes, 18: splitCount },
  Squeeze: { 13: axes },
  TopK: { 10: topK },
  Unsqueeze: { 13: axes },
  Upsample: { 9: upsampleScales, 10: upsampleToResize },
};

// BatchNormalization lost `spatial` at 9 and gained `training_mode` at 14; only the inference form has one output.
import { readInt, withAttributes } from '../../edit';
import type { Adapter } from '../adapter';

export const batchNormalizationSpatial: Adapter = (node) =>
  readInt(node, 'spatial', 1) === 1
    ? [withAttributes(node, { spatial: null })]
    : 'a BatchNormalization has statistics for every position (spatial = 0)';

export const batchNormalizationTraining: Adapter = (node, to) =>
  node.outputs.slice(1).some((name) => name !== '' && to.isUsed(name))
    ? 'a BatchNormalization gives its running statistics, as in training'
    : [{ ...node, outputs: node.outputs.slice(0, 1) }];

// Changes of names and of defaults: Scatter, GridSample, RoiAlign.
import { readString, stringAttribute, withAttributes } from '../../edit';
import type { Adapter } from '../adapter';

export const scatter: Adapter = (node) => [{ ...node, op: 'ScatterElements' }];

/** Opset 20 calls the modes linear and cubic. */
export const gridSample: Adapter = (node) => {
  const mode = readString(node, 'mode', 'bilinear');
  const renamed = mode === 'bilinear' ? 'linear' : mode === 'bicubic' ? 'cubic' : mode;
  return [withAttributes(node, { mode: stringAttribute(renamed) })];
};

/** Until 15 regions were not shifted by half a pixel; since 16 that has to be said. */
export const roiAlign: Adapter = (node) => [
  withAttributes(node, { coordinate_transformation_mode: stringAttribute('output_half_pixel') }),
];

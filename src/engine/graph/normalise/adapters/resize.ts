// Upsample became Resize at 10, and Resize says since 11 how it maps coordinates.
import { readFloatList, readString, stringAttribute, withAttributes, withInputs } from '../../edit';
import { floatTensor } from '../../tensor';
import { type Adapter, beside } from '../adapter';

export const upsampleScales: Adapter = (node, to) => {
  const scales = readFloatList(node, 'scales');
  if (!scales) return 'an Upsample has no scales';
  const name = to.add((tensor) => floatTensor(tensor, [scales.length], scales), beside(node, 'scales'));
  return [withInputs(withAttributes(node, { scales: null }), [node.inputs[0]!, name])];
};

/** The same coordinates: x / scale, rounded down (nearest) or interpolated (linear). */
export const upsampleToResize: Adapter = (node) => [{ ...node, op: 'Resize' }];

/**
 * Resize-10 maps asymmetrically. The runtime takes the nearest element below when it enlarges and above when it shrinks, so
 * a nearest Resize must be known to do one of them on all axes.
 */
export const resizeCoordinates: Adapter = (node, to) => {
  const scales = to.known(node.inputs[1] ?? '').values;
  const asymmetric = { coordinate_transformation_mode: stringAttribute('asymmetric') };
  const inputs = [node.inputs[0]!, '', node.inputs[1]!];
  if (readString(node, 'mode', 'nearest') !== 'nearest') return [withInputs(withAttributes(node, asymmetric), inputs)];
  if (!scales?.every((scale) => typeof scale === 'number')) return 'the scales of a Resize are computed';
  const grows = scales.every((scale) => (scale as number) >= 1);
  if (!grows && !scales.every((scale) => (scale as number) <= 1))
    return 'a Resize enlarges one axis and shrinks another';
  const nearest_mode = stringAttribute(grows ? 'floor' : 'ceil');
  return [withInputs(withAttributes(node, { ...asymmetric, nearest_mode }), inputs)];
};

/** Opset 13 dropped one coordinate mapping. */
export const resizeModes: Adapter = (node) =>
  readString(node, 'coordinate_transformation_mode', 'half_pixel') === 'tf_half_pixel_for_nn'
    ? 'a Resize maps coordinates as tf_half_pixel_for_nn, which later versions do not have'
    : [node];

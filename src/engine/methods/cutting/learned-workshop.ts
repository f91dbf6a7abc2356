// A workshop that rounds weights on the grids a training has learned, so that what is exported is what was trained.
import { gridKey, type LearnedGrid, quantizedOn } from './learned-grid';
import { laidOut, type Workshop } from './workshop';

/** Orders for other weights go through. */
export function onLearnedGrids(workshop: Workshop, grids: ReadonlyMap<string, LearnedGrid>): Workshop {
  return {
    ...workshop,
    async quantize(order, hessian) {
      const grid = grids.get(gridKey(order));
      if (!grid) return workshop.quantize(order, hessian);
      const made = await quantizedOn(order, grid);
      const [codes, scales] = laidOut(order, made);
      return {
        codes: await workshop.make(codes.byteLength, async () => codes),
        scales: await workshop.make(scales.byteLength, async () => scales),
        zeroPoints: null,
        loss: { signal: made.signal, noise: made.noise, clipped: made.clipped },
      };
    },
  };
}

// What is left along each axis when units have gone: places, sizes, shapes.
import type { Dim, Tensor } from '../graph';
import type { Axis } from './channels';
import type { Trace } from './trace';

export class Kept {
  private readonly places = new Map<Int32Array, Int32Array | null>();

  constructor(
    readonly trace: Trace,
    private readonly gone: ReadonlySet<number>,
  ) {}

  /** Places that stay; null where all do. */
  on(axis: Axis | undefined): Int32Array | null {
    if (axis === undefined || typeof axis === 'string') return null;
    let places = this.places.get(axis);
    if (places === undefined) {
      const { channels } = this.trace;
      const left = Int32Array.from(axis.keys()).filter((i) => !this.gone.has(channels.find(axis[i]!)));
      places = left.length === axis.length ? null : left;
      this.places.set(axis, places);
    }
    return places;
  }

  /** The same of each axis of a value; empty where it is not followed. */
  ofValue(name: string): (Int32Array | null)[] {
    return (this.trace.axes.get(name) ?? []).map((axis) => this.on(axis));
  }

  isChanged(name: string): boolean {
    return (this.trace.axes.get(name) ?? []).some((axis) => this.on(axis) !== null);
  }

  dims(tensor: Tensor, name = tensor.name): number[] {
    const axes = this.trace.axes.get(name);
    return tensor.dims.map((dim, i) => this.on(axes?.[i])?.length ?? dim);
  }

  /** The shape of a value as it will be; empty where it is not known. */
  shapeOf(name: string): Dim[] {
    const axes = this.trace.axes.get(name);
    return (this.trace.shapes.get(name)?.shape ?? []).map((dim, i) => this.on(axes?.[i])?.length ?? dim);
  }
}

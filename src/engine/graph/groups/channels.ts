// Channels and what hangs together: a union-find whose sets may be fixed, each with the reason.

/** The channel at each place along an axis; or, where nothing along it can be left out, why. Empty: a single place. */
export type Axis = Int32Array | string;

export class Channels {
  private readonly parent: number[] = [];
  private readonly reasons = new Map<number, string>();

  /** Channels that nothing hangs on yet, one for each place. */
  fresh(size: number): Int32Array {
    const axis = new Int32Array(size);
    for (let i = 0; i < size; i++) axis[i] = this.parent.push(this.parent.length) - 1;
    return axis;
  }

  /** The set a channel is in, as one number. */
  find(channel: number): number {
    let root = channel;
    while (this.parent[root] !== root) root = this.parent[root]!;
    for (let at = channel; at !== root; ) {
      const next = this.parent[at]!;
      this.parent[at] = root;
      at = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [one, other] = [this.find(a), this.find(b)];
    if (one === other) return;
    this.parent[other] = one;
    const reason = this.reasons.get(other);
    if (reason !== undefined && !this.reasons.has(one)) this.reasons.set(one, reason);
    this.reasons.delete(other);
  }

  /** Nothing along the axis can be left out any more. The first reason stays. */
  fix(axis: Axis | null | undefined, reason: string): void {
    if (axis == null || typeof axis === 'string') return;
    for (const channel of axis) {
      const root = this.find(channel);
      if (!this.reasons.has(root)) this.reasons.set(root, reason);
    }
  }

  /** Why a channel cannot be left out; null where it can. */
  reason(channel: number): string | null {
    return this.reasons.get(this.find(channel)) ?? null;
  }

  /** Two axes of one size that go together place by place. */
  same(a: Axis, b: Axis): Axis {
    if (a === b) return a;
    if (typeof a === 'string') {
      this.fix(b, a);
      return typeof b === 'string' ? a || b : b;
    }
    if (typeof b === 'string') {
      this.fix(a, b);
      return a;
    }
    for (const [i, channel] of a.entries()) this.join(channel, b[i]!);
    return a;
  }

  /** All of these channels stay or go as one. */
  asOne(axis: Int32Array): number {
    for (const channel of axis) this.join(axis[0]!, channel);
    return axis[0]!;
  }

  isFixed(axis: Axis): boolean {
    return typeof axis === 'string' || axis.every((channel) => this.reasons.has(this.find(channel)));
  }

  reasonOf(axis: Axis): string {
    if (typeof axis === 'string') return axis;
    for (const channel of axis) {
      const reason = this.reason(channel);
      if (reason !== null) return reason;
    }
    return '';
  }
}

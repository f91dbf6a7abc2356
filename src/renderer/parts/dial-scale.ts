// Where a value stands on a dial, and which value stands at a place.

export interface Stop {
  value: number;
  label: string;
}

export type Scale =
  /** Only the stops can be chosen; they stand at equal distances. */
  | { kind: 'stops'; stops: readonly Stop[] }
  /** Any step between min and max; the stops only name places. */
  | { kind: 'range'; min: number; max: number; step: number; logarithmic?: boolean; stops: readonly Stop[] };

/** 0…1 along the track. */
export function positionOf(scale: Scale, value: number): number {
  if (scale.kind === 'stops') {
    const at = scale.stops.findIndex((stop) => stop.value === value);
    return scale.stops.length < 2 ? 0 : Math.max(0, at) / (scale.stops.length - 1);
  }
  const { min, max } = scale;
  if (max === min) return 0;
  const share =
    scale.logarithmic && min > 0 ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
  return Math.min(1, Math.max(0, share));
}

/** Decimals a step needs, so that 0.1 + 0.2 prints as 0.3. */
const decimalsOf = (step: number): number => Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));

/** The value at a place 0…1, on a step. */
export function valueAt(scale: Scale, share: number): number {
  if (scale.kind === 'stops') return scale.stops[Math.round(share * (scale.stops.length - 1))]?.value ?? 0;
  const { min, max } = scale;
  const raw = scale.logarithmic && min > 0 ? min * (max / min) ** share : min + share * (max - min);
  return clampToStep(scale, raw);
}

/** The nearest allowed value, moved by so many ticks. */
export function clampToStep(scale: Scale, value: number, move = 0): number {
  if (scale.kind === 'stops') {
    const { stops } = scale;
    let nearest = 0;
    for (const [at, stop] of stops.entries())
      if (Math.abs(stop.value - value) < Math.abs((stops[nearest]?.value ?? 0) - value)) nearest = at;
    return stops[Math.min(stops.length - 1, Math.max(0, nearest + move))]?.value ?? value;
  }
  const { min, max, step } = scale;
  if (scale.logarithmic && min > 0 && move !== 0) {
    // On a logarithmic dial a tick is a fortieth of the way, never less than one step.
    const next = value * (max / min) ** (move / 40);
    const atLeast = value + Math.sign(move) * step;
    value = move > 0 ? Math.max(next, atLeast) : Math.min(next, atLeast);
  } else {
    value += move * step;
  }
  const onStep = min + Math.round((value - min) / step) * step;
  return Number(Math.min(max, Math.max(min, onStep)).toFixed(decimalsOf(step)));
}

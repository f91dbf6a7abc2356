// Where a value stands on a dial, and which value stands at a place.

export interface Stop {
  value: number;
  label: string;
}

export type Scale =
  /** Only the stops can be chosen; they stand at equal distances. */
  | { kind: 'stops'; stops: readonly Stop[] }
  /** Any step between min and max; the stops only name places. */
  | { kind: 'range'; min: number; max: number; step: number; logarithmic?: boolean; stops: readonly Stop[] }
  /** Round values, at places by their logarithm; any other can be typed. The stops only name places. */
  | { kind: 'rounds'; values: readonly number[]; integer: boolean; stops: readonly Stop[] };

/** Ten to a decade, each about a quarter more than the one before. */
const mantissas = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8];

/** Round values from min to max, both positive: doublings of whole numbers where max is one of min, else ten to a decade. */
export function roundValues(min: number, max: number, integer: boolean): number[] {
  const doublings = Math.log2(max / min);
  if (integer && Number.isInteger(doublings))
    return Array.from({ length: doublings + 1 }, (_, power) => min * 2 ** power);
  const values = new Set([min, max]);
  for (let decade = Math.floor(Math.log10(min)); decade <= Math.log10(max); decade++)
    for (const mantissa of mantissas) {
      const value = Number(`${mantissa}e${decade}`);
      if (value > min && value < max && !(integer && !Number.isInteger(value))) values.add(value);
    }
  return [...values].sort((a, b) => a - b);
}

const endsOf = (values: readonly number[]): [number, number] => [values[0] ?? 0, values.at(-1) ?? 0];

/** The place of the round value nearest by its logarithm. */
function nearestRound(values: readonly number[], value: number): number {
  let nearest = 0;
  const away = (at: number) => Math.abs(Math.log((values[at] ?? 1) / Math.max(value, Number.MIN_VALUE)));
  for (let at = 1; at < values.length; at++) if (away(at) < away(nearest)) nearest = at;
  return nearest;
}

/** 0…1 along the track. */
export function positionOf(scale: Scale, value: number): number {
  if (scale.kind === 'stops') {
    const at = scale.stops.findIndex((stop) => stop.value === value);
    return scale.stops.length < 2 ? 0 : Math.max(0, at) / (scale.stops.length - 1);
  }
  const [min, max] = scale.kind === 'rounds' ? endsOf(scale.values) : [scale.min, scale.max];
  if (max === min) return 0;
  const share =
    (scale.kind === 'rounds' || scale.logarithmic) && min > 0
      ? Math.log(value / min) / Math.log(max / min)
      : (value - min) / (max - min);
  return Math.min(1, Math.max(0, share));
}

/** Decimals a step needs, so that 0.1 + 0.2 prints as 0.3. */
const decimalsOf = (step: number): number => Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));

/** The value at a place 0…1, on a step. */
export function valueAt(scale: Scale, share: number): number {
  if (scale.kind === 'stops') return scale.stops[Math.round(share * (scale.stops.length - 1))]?.value ?? 0;
  if (scale.kind === 'rounds') {
    const [least, most] = endsOf(scale.values);
    return clampToStep(scale, least * (most / least) ** share);
  }
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
  if (scale.kind === 'rounds') {
    const { values } = scale;
    return values[Math.min(values.length - 1, Math.max(0, nearestRound(values, value) + move))] ?? value;
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

/** What was typed, as far as the scale allows it; null where it is no number. */
export function typedValue(scale: Scale, text: string): number | null {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) return null;
  if (scale.kind !== 'rounds') return clampToStep(scale, value);
  const [min, max] = endsOf(scale.values);
  return Math.min(max, Math.max(min, scale.integer ? Math.round(value) : value));
}

/** Evenly along other dials, so many times. */
const evenTicks = 40;

/** Where the dial is engraved, 0…1: at its round values, like a slide rule, or evenly. */
export function ticksOf(scale: Scale): number[] {
  if (scale.kind === 'rounds') return scale.values.map((value) => positionOf(scale, value));
  const ticks = scale.kind === 'stops' ? Math.max(evenTicks, (scale.stops.length - 1) * 8) : evenTicks;
  return Array.from({ length: ticks + 1 }, (_, tick) => tick / ticks);
}

// Scales of a cache, from what it holds while samples pass through the model: bounded memory, a number or a row of numbers for each channel.
import { openTaps } from '../../runtime/taps';
import type { Subject } from '../method';
import { floatsOf } from './floats';
import type { Gathering } from './gathering';

/** Keys or values of one attention. */
export interface CachePart {
  /** The output that holds them. */
  readonly present: string;
  /** Heads times the channels of each. */
  readonly channels: number;
  readonly bits: number;
  readonly perChannel: boolean;
}

/**
 * 8 bits reach to the largest value. At 4 bits that would be coarse: the range is narrowed to these shares of it, and the one with
 * the least squared error is taken.
 */
const shares = Array.from({ length: 15 }, (_, i) => 1 - i / 20);

/** By the name of the present; one scale for each channel of each head, or one for all. */
export async function cacheScales(
  subject: Subject,
  parts: readonly CachePart[],
  gathering: Gathering,
  samples: number,
  title: string,
): Promise<Map<string, Float32Array>> {
  const tops = new Map(parts.map(({ present, channels }) => [present, new Float64Array(channels)]));
  const narrowed = parts.filter(({ bits }) => bits === 4);
  const errors = new Map(
    narrowed.map(({ present, channels }) => [present, shares.map(() => new Float64Array(channels))]),
  );
  const passes = narrowed.length > 0 ? 2 : 1;
  await look(subject, [...tops.keys()], 1, (present, channel, value) => {
    const top = tops.get(present)!;
    top[channel] = Math.max(top[channel]!, Math.abs(value));
  });
  for (const { present, perChannel } of parts) {
    const top = tops.get(present)!;
    if (!perChannel) top.fill(top.reduce((a, b) => Math.max(a, b)));
    // A channel that was silent keeps what little it may say.
    top.forEach((value, channel) => {
      if (value === 0) top[channel] = 1;
    });
  }
  if (passes === 2)
    await look(subject, [...errors.keys()], 2, (present, channel, value) => {
      const top = tops.get(present)![channel]!;
      for (const [i, sums] of errors.get(present)!.entries()) {
        const scale = (top * shares[i]!) / 7;
        const code = Math.max(-8, Math.min(7, Math.round(value / scale)));
        sums[channel]! += (value - code * scale) ** 2;
      }
    });
  return new Map(parts.map((part) => [part.present, scalesOf(part)]));

  function scalesOf({ present, channels, bits, perChannel }: CachePart): Float32Array {
    const top = tops.get(present)!;
    const most = 2 ** (bits - 1) - 1;
    const sums = errors.get(present);
    const errorOf = (i: number, channel: number): number =>
      perChannel ? sums![i]![channel]! : sums![i]!.reduce((a, b) => a + b);
    return Float32Array.from({ length: perChannel ? channels : 1 }, (_, channel) => {
      let best = 0;
      if (sums) for (const i of shares.keys()) if (errorOf(i, channel) < errorOf(best, channel)) best = i;
      return (top[channel]! * shares[best]!) / most;
    });
  }

  async function look(
    { model, sites }: Subject,
    presents: readonly string[],
    pass: number,
    see: (present: string, channel: number, value: number) => void,
  ): Promise<void> {
    const { calibration, folder, signal } = gathering;
    if (!calibration) throw new Error('samples are asked for where no step announced the need');
    const isLarge = sites.reduce((sum, site) => sum + site.parameters, 0) > 1e9;
    const each = Math.min(samples, calibration.samples);
    const taps = await openTaps(model, presents, folder);
    try {
      let seen = 0;
      let tokens = 0;
      for await (const feeds of calibration.batches(samples)) {
        signal.throwIfAborted();
        for (const [name, feed] of await taps.run(feeds)) {
          const values = floatsOf(feed);
          const [, heads, length, size] = feed.dims as readonly [number, number, number, number];
          if (!values || heads * size !== tops.get(name)!.length)
            throw new Error(`${name} is ${feed.dims.join('×')} of ${feed.dtype}, not the cache that was declared`);
          for (let i = 0; i < values.length; i++)
            see(name, (Math.floor(i / (length * size)) % heads) * size + (i % size), values[i]!);
        }
        const done = (pass - 1) * each + ++seen;
        gathering.tell(`${title}, sample ${done} of ${passes * each}`, done, passes * each);
        tokens += Math.max(...Object.values(feeds).map(({ dtype, data }) => (dtype === 'int64' ? data.length : 0)));
        if (isLarge && tokens >= 8192) break;
      }
    } finally {
      await taps.close();
    }
  }
}

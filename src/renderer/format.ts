// Numbers as people read them: SI units, a thin no-break space before units, `−` for minus, `–` for ranges.

/** Narrow no-break space, before units and per cent. */
export const thin = '\u202f';
export const minus = '\u2212';
const enDash = '\u2013';

const group = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 11,173,962 */
export const count = (value: number): string => group.format(value).replace('-', minus);

/** Making a formatter takes far longer than using it, and tables print thousands of figures. */
const formatters = new Map<number, Intl.NumberFormat>();

function withDecimals(decimals: number): Intl.NumberFormat {
  let formatter = formatters.get(decimals);
  if (!formatter) {
    formatter = new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formatters.set(decimals, formatter);
  }
  return formatter;
}

/** A number with so many decimals, grouped, with a true minus. */
export function fixed(value: number, decimals: number): string {
  const text = withDecimals(decimals).format(value);
  const zero = !/[1-9]/.test(text);
  return zero ? text.replace('-', '') : text.replace('-', minus);
}

/** A number with so many significant digits and no exponent inside 1e−4…1e15. */
export function significant(value: number, digits = 3): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e15) {
    const [mantissa = '', exponent = ''] = value.toExponential(Math.max(0, digits - 1)).split('e');
    return `${mantissa.replace('-', minus)}e${exponent.replace('+', '').replace('-', minus)}`;
  }
  // Rounding may carry into another digit (9.996 → 10.0), so the decimals are counted on the rounded number.
  const rounded = Number(value.toPrecision(digits));
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))));
  return fixed(rounded, decimals);
}

/** With its sign: +0.32, −0.08; zero bears none. */
export function signed(value: number, decimals: number): string {
  const text = fixed(value, decimals);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** As people write settings: whole numbers in full, others in three digits without zeros behind; below a thousandth as a power, 3e−4. */
export function short(value: number): string {
  if (Number.isInteger(value)) return count(value);
  if (Math.abs(value) < 0.9995e-3) {
    const [mantissa = '', exponent = ''] = value.toExponential(1).split('e');
    return `${mantissa.replace(/\.0$/, '').replace('-', minus)}e${exponent.replace('-', minus)}`;
  }
  const text = significant(value, 3);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

const byteUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** 44.66 MB, 828 MB, 6.9 kB, 295 kB, 20 B. One MB is 1,000,000 B. */
export function bytes(value: number): string {
  const sign = value < 0 ? minus : '';
  let size = Math.abs(value);
  let unit = 0;
  while (unit < byteUnits.length - 1 && size >= 999.5) {
    size /= 1000;
    unit++;
  }
  const decimals = unit === 0 || size >= 100 ? 0 : unit === 1 ? (size < 9.95 ? 1 : 0) : size < 99.995 ? 2 : 0;
  return `${sign}${fixed(size, decimals)}${thin}${byteUnits[unit]}`;
}

/** Bytes in two or three digits, for predictions. */
export function roughBytes(value: number, digits = 2): string {
  let size = Math.abs(value);
  let unit = 0;
  while (unit < byteUnits.length - 1 && size >= 999.5) {
    size /= 1000;
    unit++;
  }
  return `${value < 0 ? minus : ''}${unit === 0 ? fixed(size, 0) : significant(size, digits)}${thin}${byteUnits[unit]}`;
}

/** 11.2 M, 1.24 B, 431 k, 812: parameters and multiply-accumulates. */
export function compact(value: number): string {
  const scales = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e4, 'k'],
  ] as const;
  for (const [scale, letter] of scales)
    if (Math.abs(value) >= scale * 0.9995) {
      const size = value / (letter === 'k' ? 1e3 : scale);
      return `${significant(size, 3)}${thin}${letter}`;
    }
  return count(value);
}

/** A figure with its unit and an SI prefix: 17 GB/s, 2.4 GHz, 4.6 tok/s. Units that are words bear no prefix. */
export function quantity(value: number, unit: string): string {
  if (unit === '') return count(value);
  if (!/^(B|Hz|FLOP|OP)/.test(unit)) return `${significant(value, 3)}${thin}${unit}`;
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];
  let size = value;
  let at = 0;
  while (at < prefixes.length - 1 && Math.abs(size) >= 999.5) {
    size /= 1000;
    at++;
  }
  return `${significant(size, 3).replace(/\.0+$/, '')}${thin}${prefixes[at]}${unit}`;
}

/** 0.9452 → 94.52 %. */
export const percent = (fraction: number, decimals = 2): string => `${fixed(fraction * 100, decimals)}${thin}%`;

/** A difference of fractions in points: −0.08. */
export const points = (difference: number, decimals = 2): string => signed(difference * 100, decimals);

/** 94.07–94.97 */
export const range = (low: string, high: string): string => `${low}${enDash}${high}`;

/** 9.84 ms, 0.31 ms, 1.2 s. */
export function milliseconds(value: number): string {
  if (value >= 999.5) return `${significant(value / 1000, 3)}${thin}s`;
  return `${value < 10 ? fixed(value, 2) : significant(value, 3)}${thin}ms`;
}

/** 0.3 s, 41 s, 3 min 02 s, 1 h 12 min. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${fixed(Math.max(0, seconds), 1)}${thin}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${thin}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${thin}min ${String(whole % 60).padStart(2, '0')}${thin}s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60)
    return `${Math.floor(minutes / 60)}${thin}h ${String(minutes % 60).padStart(2, '0')}${thin}min`;
  return `${Math.round(minutes / 1440)}${thin}days`;
}

/** What is left, in steps a person can use: 25 s, 4 min 10 s, 14 min. */
export function roughDuration(seconds: number): string {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))}${thin}s`;
  if (seconds < 60) return `${Math.round(seconds / 5) * 5}${thin}s`;
  if (seconds < 600) {
    const tens = Math.round(seconds / 10) * 10;
    const rest = tens % 60;
    return rest === 0 ? `${tens / 60}${thin}min` : `${Math.floor(tens / 60)}${thin}min ${rest}${thin}s`;
  }
  if (seconds < 3570) return `${Math.round(seconds / 60)}${thin}min`;
  return duration(Math.round(seconds / 300) * 300);
}

/** 64×3×3×3 */
export const shape = (dims: readonly (number | string | null)[]): string =>
  dims.length === 0 ? 'scalar' : dims.map((dim) => dim ?? '?').join('×');

/** The first and last four digits of a hash. */
export const shortHash = (hash: string): string => `${hash.slice(0, 4)}…${hash.slice(-4)}`;

/** now, 12 min, 5 h, yesterday, 18 Nov. */
export function ago(iso: string, now: Date = new Date()): string {
  const then = new Date(iso);
  const seconds = (now.getTime() - then.getTime()) / 1000;
  if (seconds < 60) return 'now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${thin}min`;
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  if (then >= midnight) return `${Math.floor(seconds / 3600)}${thin}h`;
  if (midnight.getTime() - then.getTime() <= 86_400_000) return 'yesterday';
  return day(iso, now);
}

/** 18 Nov, or 18 Nov 2024 in another year. */
export function day(iso: string, now: Date = new Date()): string {
  const then = new Date(iso);
  const month = then.toLocaleString('en-GB', { month: 'short' });
  const year = then.getFullYear() === now.getFullYear() ? '' : ` ${then.getFullYear()}`;
  return `${then.getDate()}\u00a0${month}${year}`;
}

/** 14:02 */
export const clock = (iso: string): string =>
  new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

/** 1 layer, 21 layers. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${Math.abs(value) === 1 ? one : many}`;

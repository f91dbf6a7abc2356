// Numbers as people read them: units, signs, spaces, and the places where rounding carries over.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ago,
  bytes,
  compact,
  count,
  duration,
  fixed,
  milliseconds,
  percent,
  points,
  roughBytes,
  roughDuration,
  shape,
  short,
  signed,
  significant,
} from '../../src/renderer/format';

/** Expected texts are written with plain spaces. */
const plain = (text: string) => text.replaceAll('\u202f', ' ').replaceAll('\u00a0', ' ');

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [20, '20 B'],
    [999, '999 B'],
    [6912, '6.9 kB'],
    [294_912, '295 kB'],
    [999_499, '999 kB'],
    [999_600, '1.00 MB'],
    [44_657_000, '44.66 MB'],
    [828_000_000, '828 MB'],
    [999_800_000, '1.00 GB'],
    [2_470_000_000, '2.47 GB'],
    [-210_000, '−210 kB'],
  ])('%d is %s', (value, text) => expect(plain(bytes(value))).toBe(text));

  it('has two digits in a prediction', () => {
    expect(plain(roughBytes(6_563_120))).toBe('6.6 MB');
    expect(plain(roughBytes(313_000))).toBe('310 kB');
    expect(plain(roughBytes(21_400_000_000, 3))).toBe('21.4 GB');
  });

  it('never prints four digits before the point', () => {
    fc.assert(fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (value) => !/\d{4}/.test(bytes(value).replaceAll(',', ''))));
  });
});

describe('numbers', () => {
  it('groups and signs', () => {
    expect(count(11_173_962)).toBe('11,173,962');
    expect(signed(0.32, 2)).toBe('+0.32');
    expect(signed(-0.08, 2)).toBe('−0.08');
    expect(signed(0.001, 2)).toBe('0.00');
    expect(fixed(-0.001, 2)).toBe('0.00');
    expect(points(-0.0008)).toBe('−0.08');
  });

  it('writes settings short', () => {
    expect([32, 4096, 0.5, 0.05, 0.001, 3e-4, 2.5e-5, 1e-7, 0].map(short)).toEqual([
      '32',
      '4,096',
      '0.5',
      '0.05',
      '0.001',
      '3e−4',
      '2.5e−5',
      '1e−7',
      '0',
    ]);
  });
  it('keeps significant digits through a carry', () => {
    expect(significant(9.996, 3)).toBe('10.0');
    expect(significant(0.034213, 3)).toBe('0.0342');
    expect(significant(0, 3)).toBe('0');
    expect(significant(-0.442, 3)).toBe('−0.442');
    expect(significant(0.0000055, 2)).toBe('5.5e−6');
    expect(significant(1234.5, 3)).toBe('1,230');
  });

  it('is within half a unit of its last digit', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-4, max: 1e12, noNaN: true }), (value) => {
        const read = Number(significant(value, 3).replaceAll(',', ''));
        return Math.abs(read - value) <= Math.abs(value) * 0.00501;
      }),
    );
  });

  it('shortens parameters', () => {
    expect(plain(compact(11_173_962))).toBe('11.2 M');
    expect(plain(compact(1_235_814_400))).toBe('1.24 B');
    expect(plain(compact(431_000))).toBe('431 k');
    expect(compact(812)).toBe('812');
  });

  it('says fractions in per cent', () => {
    expect(plain(percent(0.9452))).toBe('94.52 %');
    expect(plain(percent(1, 0))).toBe('100 %');
  });

  it('says shapes, with what is unknown', () => {
    expect(shape([64, 3, 3, 3])).toBe('64×3×3×3');
    expect(shape(['batch', null, 32])).toBe('batch×?×32');
    expect(shape([])).toBe('scalar');
  });
});

describe('times', () => {
  it.each([
    [0.31, '0.31 ms'],
    [9.84, '9.84 ms'],
    [141.2, '141 ms'],
    [1240, '1.24 s'],
  ])('%d ms is %s', (value, text) => expect(plain(milliseconds(value))).toBe(text));

  it.each([
    [0.3, '0.3 s'],
    [41, '41 s'],
    [59.6, '1 min 00 s'],
    [182, '3 min 02 s'],
    [4320, '1 h 12 min'],
    [300_000, '3 days'],
  ])('%d s is %s', (value, text) => expect(plain(duration(value))).toBe(text));

  it.each([
    [2, '2 s'],
    [27, '25 s'],
    [252, '4 min 10 s'],
    [598, '10 min'],
    [840, '14 min'],
  ])('about %d s is %s', (value, text) => expect(plain(roughDuration(value))).toBe(text));

  it('tells how long ago', () => {
    const now = new Date('2026-11-22T16:00:00');
    const told = (text: string) => plain(ago(new Date(text).toISOString(), now));
    expect(told('2026-11-22T15:59:30')).toBe('now');
    expect(told('2026-11-22T15:48:00')).toBe('12 min');
    expect(told('2026-11-22T11:00:00')).toBe('5 h');
    expect(told('2026-11-21T23:00:00')).toBe('yesterday');
    expect(told('2026-11-18T10:00:00')).toBe('18 Nov');
    expect(told('2025-11-18T10:00:00')).toBe('18 Nov 2025');
  });
});

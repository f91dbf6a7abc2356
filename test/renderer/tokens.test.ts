// The law of contrast, in both schemes: text 4.5:1, controls and marks 3:1, on every ground they stand on.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Token, tokens } from '../../src/renderer/tokens';

const renderer = resolve(import.meta.dirname, '../../src/renderer');

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const grounds: Token[] = ['shell', 'surface', 'raised', 'sunken'];
const texts: Token[] = ['ink', 'ink2', 'ink3', 'accent', 'good', 'warn', 'bad'];
const pairs: [Token, Token][] = [
  ...texts.flatMap((text) => grounds.map((ground): [Token, Token] => [text, ground])),
  ...(['fp32', 'fp16', 'int8', 'int4', 'int2'] as const).map((name): [Token, Token] => [
    `${name}-text`,
    `${name}-soft`,
  ]),
  ['on-accent', 'accent-fill'],
  ['ink', 'accent-soft'],
  ['on-fp16', 'fp16'],
  ['on-s3', 's3'],
  ['on-s4', 's4'],
  ['ink', 's0'],
  ['ink', 's1'],
  ['ink', 's2'],
];

describe.each(['light', 'dark'] as const)('%s', (scheme) => {
  const of = (token: Token) => tokens[token][scheme === 'light' ? 0 : 1];
  it.each(pairs)('%s reads on %s', (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5);
  });
  it.each(['surface', 'raised'] as const)('borders of controls are seen on %s', (ground) => {
    expect(contrast(of('ctl'), of(ground))).toBeGreaterThanOrEqual(3);
  });
  it('the first paint is the shell', () => {
    expect(readFileSync(resolve(renderer, 'public/first-paint.css'), 'utf8').toUpperCase()).toContain(
      of('shell').toUpperCase(),
    );
  });
});

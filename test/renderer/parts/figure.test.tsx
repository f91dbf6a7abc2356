// Figure: measured, predicted and unknown differ in form and in what is read out.
import { MantineProvider } from '@mantine/core';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Figure, type FigureProps, spoken } from '../../../src/renderer/parts/figure';

const draw = (figure: FigureProps) =>
  renderToStaticMarkup(
    <MantineProvider>
      <Figure {...figure} />
    </MantineProvider>,
  ).replace(/<style[\s\S]*?<\/style>/g, '');

describe('what is read out', () => {
  it('measured, with its interval', () => {
    expect(spoken({ kind: 'measured', text: '94.52\u202f%', half: '0.45' })).toBe(
      '94.52 per cent, plus or minus 0.45, measured',
    );
  });
  it('predicted, with its band', () => {
    expect(spoken({ kind: 'predicted', text: '22\u202fms', band: ['14', '34'] })).toBe(
      'about 22 milliseconds, predicted, between 14 and 34',
    );
  });
  it('unknown, in its word', () => expect(spoken({ kind: 'unknown', word: 'not measured' })).toBe('not measured'));
  it('minus as a word', () => {
    expect(spoken({ kind: 'measured', text: '\u22120.08' })).toBe('minus 0.08, measured');
  });
});

describe('form', () => {
  it('a measured number has its ± and no ≈', () => {
    const html = draw({ kind: 'measured', text: '94.52\u202f%', half: '0.45', mark: true });
    expect(html).toContain('±0.45');
    expect(html).toContain('data-kind="measured"');
    expect(html).not.toContain('<svg');
  });
  it('a predicted number has a drawn ≈ and its band beside it', () => {
    const html = draw({ kind: 'predicted', text: '22\u202fms', band: ['14', '34'], mark: true });
    expect(html).toContain('<svg');
    expect(html).toContain('14–34');
    expect(html).not.toContain('±');
  });
  it('an unknown is a word in a slot: no digit, no dash', () => {
    const html = draw({ kind: 'unknown', word: 'not measured', mark: true }).replace(/<[^>]*>/g, ' ');
    expect(html).not.toMatch(/\d|—|-/);
  });
  it('an unknown that can be measured is a button that says so', () => {
    const html = draw({
      kind: 'unknown',
      word: 'not measured',
      offer: { label: 'Measure, about 40 s', act: () => undefined },
    });
    expect(html).toMatch(/<button[^>]*aria-label="not measured\. Measure, about 40 s"/);
  });
  it('in a table it is no stop for the keyboard', () => {
    expect(draw({ kind: 'measured', text: '9.84', how: 'n = 50', size: 'table' })).not.toContain('<button');
    expect(draw({ kind: 'measured', text: '9.84', how: 'n = 50' })).toContain('<button');
  });
});

// The address keeps the selection and the pair of runs; another model drops what belonged to the old one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeAddress, nextSelection, parseAddress } from '../../src/renderer/address';

describe('the address', () => {
  it('reads what it writes, whatever the names hold', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 6 }),
        fc.string({ minLength: 1 }),
        (layers, model) => {
          const read = parseAddress(changeAddress('', { model, layers }));
          expect(read.layers).toEqual(layers);
          expect(read.model).toBe(model);
        },
      ),
    );
  });

  it('keeps what it is not told to change', () => {
    const search = changeAddress('model=m&a=r1&data=d&later=1', { b: 'r2' });
    expect(parseAddress(search)).toMatchObject({ model: 'm', a: 'r1', b: 'r2', data: 'd' });
    expect(search).toContain('later=1');
  });

  it('removes with null', () => {
    expect(changeAddress('model=m&a=r1', { a: null })).toBe('model=m');
  });

  it('drops layers and runs with another model, and keeps dataset and device', () => {
    const read = parseAddress(changeAddress('model=m&layer=x&a=1&b=2&run=3&data=d&device=pi', { model: 'n' }));
    expect(read).toEqual({ model: 'n', layers: [], a: null, b: null, run: null, data: 'd', device: 'pi' });
  });

  it('keeps the selection when the same model is named again', () => {
    expect(parseAddress(changeAddress('model=m&layer=x', { model: 'm' })).layers).toEqual(['x']);
  });
});

describe('selecting', () => {
  const order = ['a', 'b', 'c', 'd', 'e'];
  it('a click selects one', () => expect(nextSelection(['a', 'b'], 'd')).toEqual(['d']));
  it('Ctrl adds and takes away', () => {
    expect(nextSelection(['a'], 'c', { add: true })).toEqual(['a', 'c']);
    expect(nextSelection(['a', 'c'], 'a', { add: true })).toEqual(['c']);
  });
  it('Shift extends from the first, either way', () => {
    expect(nextSelection(['b'], 'd', { extend: true }, order)).toEqual(['b', 'c', 'd']);
    expect(nextSelection(['d'], 'b', { extend: true }, order)).toEqual(['d', 'b', 'c']);
  });
});

import { describe, expect, it } from 'vitest';
import { byOrder, byUrgency, orderOf } from '../../lib/view/order.js';
import type { Shown } from '../../lib/view/words.js';

describe('the order of services', () => {
  it.each<[string, [string, number | null][], string[]]>([
    [
      'numbers in names count as numbers',
      [
        ['Queue 10', null],
        ['Queue 9', null],
      ],
      ['Queue 9', 'Queue 10'],
    ],
    [
      'capitals do not matter',
      [
        ['b', null],
        ['A', null],
        ['C', null],
      ],
      ['A', 'b', 'C'],
    ],
    [
      'ORDER comes before the name',
      [
        ['a', null],
        ['z', 1],
        ['y', 2.5],
        ['x', -1],
      ],
      ['x', 'z', 'y', 'a'],
    ],
    [
      'of one ORDER by name',
      [
        ['b', 1],
        ['a', 1],
      ],
      ['a', 'b'],
    ],
    [
      'zero is an ORDER',
      [
        ['a', null],
        ['b', 0],
      ],
      ['b', 'a'],
    ],
  ])('%s', (_, given, expected) => {
    const services = given.map(([name, order]) => ({ name, order }));
    expect(services.sort(byOrder).map(({ name }) => name)).toEqual(expected);
  });

  it('begins with what is down, then what is degraded', () => {
    const all: Shown[] = ['up', 'maintenance', 'degraded', 'paused', 'down'];
    expect(all.sort(byUrgency).slice(0, 3)).toEqual(['down', 'degraded', 'maintenance']);
  });

  it('of a group is the lowest of its members', () => {
    expect(orderOf([{ order: null }, { order: 3 }, { order: 0 }])).toBe(0);
    expect(orderOf([{ order: null }])).toBeNull();
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Fifo } from '../../../providers/memory/fifo.ts';
import { Heap } from '../../../providers/memory/heap.ts';

interface Item {
  readonly rank: number;
  readonly number: number;
  slot: number;
}

const comesBefore = (a: Item, b: Item): boolean => a.rank < b.rank || (a.rank === b.rank && a.number < b.number);

it('a heap always has first what comes first, whatever was added and taken out from wherever', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.record({ add: fc.nat({ max: 20 }) }), fc.record({ remove: fc.nat() }), fc.constant('take' as const)), {
        maxLength: 200,
      }),
      (steps) => {
        const heap = new Heap<Item>(comesBefore);
        let kept: Item[] = [];
        for (const [number, step] of steps.entries()) {
          if (step !== 'take' && 'add' in step) {
            const item = { rank: step.add, number, slot: -1 };
            heap.add(item);
            kept.push(item);
          } else {
            const item = step === 'take' ? heap.first : kept[step.remove % Math.max(kept.length, 1)];
            if (item !== undefined) heap.remove(item);
            kept = kept.filter((one) => one !== item);
            if (item !== undefined) expect(item.slot).toBe(-1);
          }
          expect(heap.size).toBe(kept.length);
          expect(heap.first).toBe(kept.toSorted((a, b) => (comesBefore(a, b) ? -1 : 1))[0]);
          expect(new Set(heap)).toEqual(new Set(kept));
        }
      },
    ),
  );
});

it('a line hands out what was added in that order, through thousands of gaps', () => {
  const line = new Fifo<number>();
  let added = 0;
  let taken = 0;
  for (let round = 0; round < 50; round += 1) {
    for (let n = 0; n < 200; n += 1) line.add(added++);
    for (let n = 0; n < 190; n += 1) expect(line.take()).toBe(taken++);
    expect(line.size).toBe(added - taken);
    expect(line.first).toBe(taken);
  }
  while (line.size > 0) expect(line.take()).toBe(taken++);
  expect([line.take(), line.first, taken]).toEqual([undefined, undefined, added]);
});

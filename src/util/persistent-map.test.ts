import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PersistentMap } from './persistent-map.ts';

const key = fc.oneof(fc.constantFrom('', 'a', 'b', '__proto__', 'constructor'), fc.string({ maxLength: 3 }));
const step = fc.record({ key, value: fc.option(fc.nat(9), { nil: undefined }) });

test('behaves as a Map, and every version stays as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 6 }), (edits) => {
      const versions = [{ map: PersistentMap.empty<number>(), model: new Map<string, number>() }];
      for (const steps of edits) {
        const last = versions.at(-1);
        const edit = (last?.map ?? PersistentMap.empty<number>()).edit();
        const model = new Map(last?.model);
        for (const { key: name, value } of steps) {
          if (value === undefined) {
            expect(edit.delete(name)).toBe(model.delete(name));
          } else {
            edit.set(name, value);
            model.set(name, value);
          }
          expect(edit.get(name)).toBe(value);
        }
        versions.push({ map: edit.finish(), model });
      }
      for (const { map, model } of versions) {
        expect(map.size).toBe(model.size);
        expect(new Map(map)).toEqual(model);
        expect([...map.keys()].every((name) => map.has(name) && map.get(name) === model.get(name))).toBe(
          true,
        );
        const seen: [string, number][] = [];
        map.forEach((value, name) => seen.push([name, value]));
        expect(new Map(seen)).toEqual(model);
        expect(map.values().reduce((sum, value) => sum + value, 0)).toBe(
          model.values().reduce((sum, value) => sum + value, 0),
        );
      }
    }),
  );
});

test('does not find what is not there', () => {
  const edit = PersistentMap.empty<number>().edit();
  edit.set('a', 1);
  const map = edit.finish();
  expect([map.get('b'), map.has('b'), map.get('__proto__')]).toEqual([undefined, false, undefined]);
});

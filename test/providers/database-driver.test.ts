import { expect, it } from 'vitest';
import { driverMajor } from '../../providers/database/dialects/sqlite/open.ts';

it.each([
  ['20.19.0', 12],
  ['21.7.3', 12],
  ['22.0.0', 13],
  ['24.21.0', 13],
])('the SQLite driver for Node.js %s is %i', (node, major) => {
  expect(driverMajor(node)).toBe(major);
});

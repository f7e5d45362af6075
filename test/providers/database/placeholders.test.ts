import { describe, expect, it } from 'vitest';
import { numbered } from '../../../providers/database/dialects/postgres/placeholders.ts';

describe('placeholders for PostgreSQL', () => {
  it.each([
    ['SELECT 1', 'SELECT 1'],
    ['SELECT * FROM t WHERE a = ? AND b IN (?, ?)', 'SELECT * FROM t WHERE a = $1 AND b IN ($2, $3)'],
    [`SELECT '?', 'it''s ?', ?`, `SELECT '?', 'it''s ?', $1`],
    ['SELECT ? FROM "what?""?" WHERE "b?" = ?', 'SELECT $1 FROM "what?""?" WHERE "b?" = $2'],
    ['SELECT ?::text[] || ?', 'SELECT $1::text[] || $2'],
  ])('%s becomes %s', (sql, expected) => {
    expect(numbered(sql)).toBe(expected);
    expect(numbered(sql)).toBe(expected);
  });
});

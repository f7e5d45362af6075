import { describe, expect, it } from 'vitest';
import { PreparedStatements } from '../../../providers/database/dialects/sqlite/prepared-statements.ts';

describe('prepared statements', () => {
  it('are kept while they are used, and not more of them than two generations', () => {
    const prepared: string[] = [];
    const statements = new PreparedStatements((sql) => {
      prepared.push(sql);
      return { sql } as never;
    }, 3);
    const hot = statements.get('hot');
    for (let number = 0; number < 100; number++) {
      statements.get(`list of ${number}`);
      expect(statements.get('hot')).toBe(hot);
    }
    expect(prepared).toEqual(['hot', ...Array.from({ length: 100 }, (_, number) => `list of ${number}`)]);
    expect(statements.size).toBeLessThanOrEqual(6);
    statements.get('list of 0');
    expect(prepared.at(-1)).toBe('list of 0');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth, oneLine, printable, printableJson, shellWord, truncate, utc } from '../../src/cli/text.ts';

/** What must never be printed. */
const raw = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

describe('text for a terminal', () => {
  it('escapes what would move the cursor, set a title, or turn the reading order', () => {
    expect(printable('a\u001b[2Jb\u0007\u009b31m\u202etxt.exe')).toBe('a\\x1b[2Jb\\x07\\x9b31m\\u202etxt.exe');
  });

  it('leaves letters of any script and emoji as they are', () => {
    expect(printable('Grüße 東京 👩‍💻')).toBe('Grüße 東京 👩‍💻');
  });

  it('never lets a control character through, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(raw);
        expect(oneLine(text)).not.toMatch(raw);
      }),
    );
  });

  it('writes JSON that reads back the same and is harmless on a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson({ text });
        expect(JSON.parse(json)).toEqual({ text });
        expect(json.replaceAll('\n', '')).not.toMatch(raw);
      }),
    );
  });

  it('counts wide characters twice and marks not at all', () => {
    expect([displayWidth('abc'), displayWidth('東京'), displayWidth('e\u0301'), displayWidth('👩‍💻')]).toEqual([3, 4, 1, 2]);
  });

  it('cuts to the cells there are, never half a character', () => {
    expect(truncate('hello', 5)).toBe('hello');
    expect(truncate('hello!', 5)).toBe('hell…');
    expect(truncate('東京都庁', 5)).toBe('東京…');
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 20 }),
        (text, width) => displayWidth(truncate(text, width)) <= width,
      ),
    );
  });

  it('prints times in UTC and says so', () => {
    expect(utc(new Date('2026-11-22T12:31:07.890Z'))).toBe('2026-11-22 12:31:07Z');
    expect(utc(null)).toBe('-');
  });

  it('quotes a word that a shell would take apart', () => {
    expect([shellWord('emails.welcome'), shellWord("it's here"), shellWord('')]).toEqual([
      'emails.welcome',
      String.raw`'it'\''s here'`,
      "''",
    ]);
  });
});

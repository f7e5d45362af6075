import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutMark, cutMiddle, jsonBytes, wellFormed } from '../../src/record/text.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('a', '€', '😀', '\0', '\uD83D', '\uDE00'), maxLength: 300 }),
);

describe('wellFormed', () => {
  it('F15 replaces NUL characters and lone surrogates, and keeps pairs', () => {
    expect(wellFormed('a\0b\uD800c\uDC00\uD83D😀')).toBe('a\uFFFDb\uFFFDc\uFFFD\uFFFD😀');
  });

  it('gives back a text that has none of them', () => {
    expect(wellFormed('Zürich 😀 …')).toBe('Zürich 😀 …');
  });

  it('keeps the length', () => {
    fc.assert(fc.property(anyText, (text) => wellFormed(text).length === text.length));
  });
});

describe('cutMiddle', () => {
  it('keeps a text that fits to the byte', () => {
    expect(cutMiddle('€'.repeat(33), 99)).toStrictEqual({ text: '€'.repeat(33), cut: false });
  });

  it('F15 cuts in the middle and says how many bytes are gone', () => {
    expect(cutMiddle('a'.repeat(500) + 'b'.repeat(500), 100)).toStrictEqual({
      text: `${'a'.repeat(34)}…[932 bytes cut]…${'b'.repeat(34)}`,
      cut: true,
    });
  });

  it('F15 never splits a surrogate pair', () => {
    for (let maxBytes = 40; maxBytes < 60; maxBytes += 1) {
      expect(cutMiddle('😀'.repeat(100), maxBytes).text).toMatch(/^(?:😀)*…\[\d+ bytes cut\]…(?:😀)*$/u);
    }
  });

  it('F15 counts all bytes that are gone', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 32, max: 400 }), (raw, maxBytes) => {
        const { text, cut } = cutMiddle(raw, maxBytes);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes);
        expect(text).toBe(wellFormed(text));
        if (!cut) {
          expect(text).toBe(wellFormed(raw));
          return;
        }
        const mark = cutMark.exec(text);
        const [head = '', tail = ''] = text.split(cutMark);
        expect(wellFormed(raw).startsWith(head)).toBe(true);
        expect(wellFormed(raw).endsWith(tail)).toBe(true);
        const gone = raw.slice(head.length, raw.length - tail.length);
        expect(mark?.[0]).toBe(`…[${Buffer.byteLength(gone)} bytes cut]…`);
      }),
    );
  });
});

describe('jsonBytes', () => {
  it('is what JSON takes', () => {
    fc.assert(fc.property(anyText, (text) => jsonBytes(text) === Buffer.byteLength(JSON.stringify(text))));
  });
});

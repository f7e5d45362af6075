import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteLines, type ByteLine } from '../../src/cli/byte-lines.ts';

async function read(chunks: readonly (string | Buffer)[], limit?: number): Promise<ByteLine[]> {
  const found: ByteLine[] = [];
  for await (const lines of byteLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), limit)) found.push(...lines);
  return found;
}

const texts = async (...chunks: (string | Buffer)[]): Promise<unknown[]> => (await read(chunks)).map((line) => line.text);

describe('the lines of a file', () => {
  it('end at LF, with or without a CR before it', async () => {
    expect(await texts('a\r\nb\nc')).toEqual(['a', 'b', 'c']);
  });

  it('do not end at what Node takes for a line end inside of JSON', async () => {
    expect(await texts('"a\u2028b"\n"c\rd"\n')).toEqual(['"a\u2028b"', '"c\rd"']);
  });

  it('begin after a byte order mark', async () => {
    expect(await texts('\ufeff{}\n')).toEqual(['{}']);
  });

  it('count blank ones', async () => {
    expect(await read(['a\n\nb\n'])).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: '' },
      { number: 3, text: 'b' },
    ]);
  });

  it('are the same however the bytes arrive, also when a character is cut in two', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'grapheme' }).filter((text) => !/[\n\r\ufeff]/.test(text)),
          { minLength: 1 },
        ),
        fc.integer({ min: 1, max: 7 }),
        async (lines, size) => {
          const bytes = Buffer.from(`${lines.join('\n')}\n`);
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
            bytes.subarray(index * size, (index + 1) * size),
          );
          expect(await texts(...chunks)).toEqual(lines);
        },
      ),
    );
  });

  it('are reported, not mended, where their bytes are no UTF-8', async () => {
    expect(await read([Buffer.from([0x22, 0xff, 0x22, 0x0a]), 'ok\n'])).toEqual([
      { number: 1, text: undefined, reason: 'the line is not valid UTF-8' },
      { number: 2, text: 'ok' },
    ]);
  });

  it('are passed over where they are too long to be kept', async () => {
    expect(await read(['aaaa', 'aaaa', 'a\nok\n'], 8)).toEqual([
      { number: 1, text: undefined, reason: 'the line is longer than 8 bytes' },
      { number: 2, text: 'ok' },
    ]);
  });
});

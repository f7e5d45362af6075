import { describe, expect, it } from 'vitest';
import { addScripts } from '../../../src/cli/init/package-scripts.ts';

const scripts = { 'redrive:work': 'redrive work', 'redrive:failed': 'redrive failed' };

describe('scripts in a package.json', () => {
  it.each([
    [
      'two spaces',
      '{\n  "name": "app"\n}\n',
      '{\n  "name": "app",\n  "scripts": {\n    "redrive:work": "redrive work",\n    "redrive:failed": "redrive failed"\n  }\n}\n',
    ],
    [
      'tabs',
      '{\n\t"name": "app"\n}',
      '{\n\t"name": "app",\n\t"scripts": {\n\t\t"redrive:work": "redrive work",\n\t\t"redrive:failed": "redrive failed"\n\t}\n}',
    ],
    [
      'CRLF, and a byte order mark',
      '\uFEFF{\r\n    "name": "app"\r\n}\r\n',
      '\uFEFF{\r\n    "name": "app",\r\n    "scripts": {\r\n        "redrive:work": "redrive work",\r\n        "redrive:failed": "redrive failed"\r\n    }\r\n}\r\n',
    ],
    ['nothing at all', '{}', '{\n  "scripts": {\n    "redrive:work": "redrive work",\n    "redrive:failed": "redrive failed"\n  }\n}'],
  ])('are added in the style of a file with %s', (_style, text, expected) => {
    expect(addScripts(text, scripts)).toMatchObject({ text: expected, added: Object.keys(scripts), kept: [] });
  });

  it('stand behind those that are there, which keep their text and order', () => {
    const { text } = addScripts('{"scripts":{"test":"vitest","build":"tsc"},"type":"module"}', scripts);
    expect(Object.keys(JSON.parse(text))).toEqual(['scripts', 'type']);
    expect(Object.entries((JSON.parse(text) as { scripts: object }).scripts)).toEqual([
      ['test', 'vitest'],
      ['build', 'tsc'],
      ...Object.entries(scripts),
    ]);
  });

  it('are kept where they are there, whatever they run', () => {
    const text = '{ "scripts": { "redrive:work": "mine",   "redrive:failed": "mine too" } }';
    expect(addScripts(text, scripts)).toMatchObject({ text, added: [], kept: Object.keys(scripts) });
    const one = addScripts('{"scripts":{"redrive:work":"mine"}}', scripts);
    expect(one).toMatchObject({ added: ['redrive:failed'], kept: ['redrive:work'] });
    expect(JSON.parse(one.text)).toMatchObject({ scripts: { 'redrive:work': 'mine' } });
  });

  it.each([
    ['{ "name": ', 'it is not JSON'],
    ['[]', 'it is no JSON object'],
    ['{"scripts":[]}', 'its "scripts" is no JSON object'],
  ])('are refused by %j', (text, message) => {
    expect(() => addScripts(text, scripts)).toThrow(message);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { httpCodes } from '../../src/http/http-fault.ts';
import { redriveHttp, type RedriveHttpOptions } from '../../src/http/index.ts';
import { createFakeRedrive } from '../../src/testing/index.ts';
import { Contract } from '../http/contract.ts';
import { root } from '../scaffold/packed-package.ts';
import { code, page, section, tableRows } from './markdown.ts';

const text = page('docs/reference/http.md');
/** Rows below a heading of the first rank, without those of the headings below it. */
const rows = (heading: string): readonly (readonly string[])[] => tableRows(section(text, heading));

interface Documented {
  readonly summary: string;
  readonly tags: readonly string[];
}

let contract: Contract;
let document: {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>;
};

beforeAll(async () => {
  const response = await redriveHttp(createFakeRedrive()).fetch(new Request('http://localhost/openapi.json'));
  document = (await response.json()) as typeof document;
  contract = new Contract(document);
});

describe('the reference of HTTP', () => {
  it('has each operation with what it does, in the family of the document, and no other', () => {
    const documented = document.tags.flatMap(({ name }) =>
      rows(`### ${name}`).map(([call, summary]) => `${name}: ${code(call)}: ${summary?.replaceAll('`', '')}`),
    );
    const actual = contract.operations.map(({ method, path }) => {
      const { tags, summary } = document.paths[path]![method.toLowerCase()]!;
      return `${tags[0]}: ${method} ${path}: ${summary}`;
    });
    expect(documented.toSorted()).toEqual(actual.toSorted());
  });

  it('has the parameters and the keys of the body of each operation', () => {
    const cells = new Map(
      document.tags.flatMap(({ name }) => rows(`### ${name}`).map(([call, , takes = '']) => [code(call), takes] as const)),
    );
    const filter = tableRows(section(text, '## The filter')).map(([key]) => code(key));
    for (const { method, path, parameters, body } of contract.operations) {
      const query = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      const hasFilter = filter.every((key) => query.includes(key));
      const own = [...query.filter((name) => !hasFilter || !filter.includes(name)), ...Object.keys(body ?? {})];
      const cell = cells.get(`${method} ${path}`)!;
      const told = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
      expect(told.toSorted(inOrder), `${method} ${path}`).toEqual(own.toSorted(inOrder));
      expect(cell.includes('[filter](#the-filter)'), `${method} ${path}`).toBe(hasFilter);
    }
  });

  it('has every call that the guides make with curl', () => {
    const folder = join(root, 'docs/guides');
    const guides = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    const calls = guides.flatMap((guide) => [...guide.matchAll(/^(?:\$ )?curl (.*)$/gm)].map(([, line]) => line!));
    expect(calls.length).toBeGreaterThan(15);
    for (const call of calls) {
      const method = /-X (\w+)/.exec(call)?.[1] ?? 'GET';
      const path = /https?:\/\/[^/\s]+(\/[^\s"?]*)/.exec(call)?.[1];
      const fits = ({ method: own, path: template }: { method: string; path: string }): boolean =>
        own === method && new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path ?? '');
      expect(contract.operations.some(fits), call).toBe(true);
    }
  });

  it('has each code with its status and its meaning', () => {
    const documented = rows('## Codes').map(([first, status, meaning]) => [code(first), Number(status), meaning]);
    expect(documented).toEqual(Object.entries(httpCodes).map(([name, [status, meaning]]) => [name, status, meaning]));
  });

  it('has the options of redriveHttp', () => {
    // The compiler holds this list against the interface.
    const options: Readonly<Record<keyof RedriveHttpOptions, true>> = {
      basePath: true,
      token: true,
      authorize: true,
      readOnly: true,
      hosts: true,
      bodyLimit: true,
      logger: true,
      clock: true,
    };
    expect(rows('## Options of redriveHttp').map(([first]) => code(first))).toEqual(Object.keys(options));
  });
});

function inOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en');
}

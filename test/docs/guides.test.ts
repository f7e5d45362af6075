import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectWithPackage, root } from '../scaffold/packed-package.ts';
import { size } from '../support/size.ts';
import { blocks, compile, typeSessions } from './guide.ts';
import { page } from './markdown.ts';

const pages = readdirSync(join(root, 'docs'), { recursive: true })
  .map((file) => join('docs', String(file)))
  .filter((file) => file.endsWith('.md'))
  .toSorted();
// What decisions show is history; two guides are followed by tests of their own.
const others = ['docs/decisions/', 'docs/guides/testing.md', 'docs/migrating-from-cbq.md'];
const followed = pages.filter(
  (file) => !others.some((other) => file.startsWith(other)) && /^```(?:ts|console)/m.test(readFileSync(join(root, file), 'utf8')),
);

// The one that everybody reads.
const first = 'docs/guides/getting-started.md';
const typed = followed.filter((file) => blocks(page(file)).some(({ language }) => language === 'console'));

describe('the pages', () => {
  it.each(pages)('link to what exists: %s', (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target]) => target!);
    expect(links.filter((link) => !leads(file, link))).toEqual([]);
  });
});

describe('what the pages say works in an empty project', () => {
  let project: string | undefined;

  beforeAll(async () => {
    project = await projectWithPackage();
  }, 120_000);

  afterAll(() => project && rm(project, { recursive: true, force: true }));

  const isToday = (file: string): boolean => size !== 'small' || file === first;
  const later = 'every guide but the first: npm run test:ci';

  it.for(followed)('%s compiles', { timeout: 180_000 }, async (file, { skip }) => {
    skip(!isToday(file), later);
    await compile(file, project!);
  });

  it.for(typed)('%s, typed line by line, prints what it shows', { timeout: 180_000 }, async (file, { skip }) => {
    skip(!isToday(file), later);
    await typeSessions(file, project!);
  });
});

function leads(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? join(root, from) : join(root, dirname(from), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

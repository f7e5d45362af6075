import { z } from '@hono/zod-openapi';
import type { OpenApiDocument } from '../docs/document.ts';
import { docsPage, docsPolicy } from '../docs/docs-page.ts';
import { operation, type Operation } from '../operation.ts';

/** The document of everything served, and the page made of it. */
export function docs(document: () => OpenApiDocument): readonly Operation[] {
  return [
    operation({
      id: 'openApi',
      method: 'get',
      path: '/openapi.json',
      tag: 'Service',
      summary: 'This interface as an OpenAPI 3.1 document',
      answer: z.object({ openapi: z.string() }).loose(),
      answerDescription: 'The document.',
      handle: async () => ({ ...document() }),
    }),
    operation({
      id: 'docs',
      method: 'get',
      path: '/docs',
      tag: 'Service',
      summary: 'This page',
      media: 'text/html',
      answer: z.string(),
      answerDescription: 'A page that needs nothing from elsewhere.',
      async handle({ header, origin }) {
        header('Content-Security-Policy', docsPolicy);
        return docsPage(document(), origin);
      },
    }),
  ];
}

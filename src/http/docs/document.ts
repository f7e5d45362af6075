import type { OpenAPIHono } from '@hono/zod-openapi';
import { packageVersion } from '../../package-version.ts';
import type { HttpEnv } from '../http-env.ts';
import { tags } from '../operation.ts';

/** An OpenAPI 3.1 document. */
export type OpenApiDocument = ReturnType<OpenAPIHono<HttpEnv>['getOpenAPI31Document']>;

/** What the app serves, told by the very schemas that check it. */
export function documentOf(app: OpenAPIHono<HttpEnv>, basePath: string): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Redrive',
      version: packageVersion(),
      description:
        'Background jobs and their failures: find, explain, retry and clear. The first seven operations under `/api/v1/jobs` have the paths and bodies of the RQ job-management API.',
    },
    servers: [{ url: basePath === '' ? '/' : basePath }],
    security: [{ token: [] }, { session: [] }],
  });
  const used = new Set(Object.values(document.paths ?? {}).flatMap((methods) => Object.values(methods as object).flatMap(tagsOf)));
  return {
    ...document,
    tags: tags.filter((name) => used.has(name)).map((name) => ({ name })),
    components: {
      ...document.components,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Needed once a token is set.' },
        session: { type: 'apiKey', in: 'cookie', name: 'redrive_session', description: 'What a browser gets for the token.' },
      },
    },
  };
}

function tagsOf(operation: { readonly tags?: readonly string[] }): readonly string[] {
  return operation.tags ?? [];
}

import type { OpenApiDocument } from './document.ts';

// What of an OpenAPI document the page shows. Ours is made of zod schemas, so that this much covers it.

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface Reply {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string }>>;
  readonly content?: Content;
}

export interface DescribedOperation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly unknown[];
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  readonly bodyRequired: boolean;
  readonly replies: readonly (readonly [status: number, reply: Reply])[];
}

/** Every operation of a document, in its order. */
export function operationsOf(document: OpenApiDocument): readonly DescribedOperation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, Raw>>).map(([method, raw]) => ({
      ...raw,
      method: method.toUpperCase(),
      path,
      parameters: raw.parameters ?? [],
      body: raw.requestBody?.content['application/json']?.schema,
      bodyRequired: raw.requestBody?.required ?? false,
      replies: Object.entries(raw.responses).map(([status, reply]) => [Number(status), reply] as const),
    })),
  );
}

type Raw = Omit<DescribedOperation, 'method' | 'path' | 'body' | 'bodyRequired' | 'replies' | 'parameters'> & {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Reply>>;
};

/** The named schemas of a document. */
export function schemasOf(document: OpenApiDocument): Readonly<Record<string, Schema>> {
  return document.components?.schemas ?? {};
}

/** The name that a reference leads to; undefined for what is none. */
export function nameOfRef({ $ref }: Schema): string | undefined {
  return $ref?.split('/').at(-1);
}

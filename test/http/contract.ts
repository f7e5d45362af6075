import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { expect } from 'vitest';
import type { Answer } from './scene.ts';

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

export interface ContractParameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: boolean;
  readonly schema: { readonly type?: string | readonly string[]; readonly enum?: readonly string[] };
}

export interface ContractOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly ContractParameter[];
  /** The properties of the JSON body; undefined where it takes none. */
  readonly body: Readonly<Record<string, { readonly type?: string }>> | undefined;
  readonly bodyRequired: boolean;
  readonly needsToken: boolean;
  readonly statuses: readonly number[];
}

/** The document of what is served, as something that answers are held against. */
export class Contract {
  readonly operations: readonly ContractOperation[];
  private readonly ajv: Ajv2020;
  private readonly validators = new Map<string, ValidateFunction>();
  private readonly document: ApiDocument;

  constructor(document: unknown) {
    // Nothing that is not in the document may be in an answer either.
    this.document = closed(document) as ApiDocument;
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    ajvFormats.default(this.ajv);
    this.ajv.addSchema(this.document, 'api');
    this.operations = Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, raw]) => ({
        id: raw.operationId,
        method: method.toUpperCase(),
        path,
        parameters: raw.parameters ?? [],
        body: this.propertiesOf(raw.requestBody?.content['application/json']?.schema),
        bodyRequired: raw.requestBody?.required ?? false,
        needsToken: raw.security === undefined,
        statuses: Object.keys(raw.responses).map(Number),
      })),
    );
  }

  /** Fails unless the answer is one that the document tells of, in status, media and body. */
  check(operation: ContractOperation, { status, headers, body }: Answer): void {
    const where = `${operation.method} ${operation.path}, ${status}`;
    const raw = this.document.paths[operation.path]?.[operation.method.toLowerCase()];
    const response = raw?.responses[String(status)];
    if (response === undefined)
      expect.fail(`${where}: the document knows no such status; the body is ${JSON.stringify(body).slice(0, 500)}`);
    const [media = ''] = Object.keys(response.content ?? {});
    expect(headers.get('content-type') ?? '', where).toMatch(new RegExp(`^${media.split(';')[0]!.replace('+', '\\+')}`));
    if (!media.startsWith('application/json')) return;
    const validate = this.validator(operation, status);
    expect(validate(body) ? [] : validate.errors, `${where}: ${JSON.stringify(body).slice(0, 500)}`).toEqual([]);
  }

  private validator({ path, method }: ContractOperation, status: number): ValidateFunction {
    const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', 'application/json', 'schema'];
    const $ref = `api#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
    const known = this.validators.get($ref) ?? this.ajv.compile({ $ref });
    this.validators.set($ref, known);
    return known;
  }

  private propertiesOf(schema: BodySchema | undefined): ContractOperation['body'] {
    if (schema?.$ref === undefined) return schema?.properties ?? (schema === undefined ? undefined : {});
    return this.document.components.schemas[schema.$ref.split('/').at(-1)!]?.properties ?? {};
  }
}

interface BodySchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>;
}

interface ApiDocument {
  readonly components: { readonly schemas: Readonly<Record<string, BodySchema>> };
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly operationId: string;
            readonly parameters?: readonly ContractParameter[];
            readonly security?: readonly unknown[];
            readonly requestBody?: {
              readonly required?: boolean;
              readonly content: Readonly<Record<string, { readonly schema: BodySchema }>>;
            };
            readonly responses: Readonly<Record<string, Response>>;
          }
        >
      >
    >
  >;
}

/** A copy in which every object with properties has no others, unless it says that it may. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  const isObjectSchema = copy['type'] === 'object' && typeof copy['properties'] === 'object';
  return isObjectSchema && copy['additionalProperties'] === undefined ? { ...copy, additionalProperties: false } : copy;
}

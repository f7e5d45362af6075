/** The part of the Standard Schema interface (standardschema.dev, version 1) that is used here. */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
}

type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

export type Validated = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly faults: readonly string[] };

/** Checks a value; a schema that throws is a fault like any other. */
export async function validate(schema: StandardSchema, value: unknown): Promise<Validated> {
  try {
    const result = await schema['~standard'].validate(value);
    if (result.issues === undefined) return { ok: true, value: result.value };
    return { ok: false, faults: result.issues.map(({ message, path = [] }) => `${pathText(path)}: ${message}`) };
  } catch (error) {
    return { ok: false, faults: [`the schema itself failed: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

/** True for what looks like a Standard Schema. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Partial<StandardSchema>)['~standard'];
  return typeof standard === 'object' && standard !== null && typeof standard.validate === 'function';
}

function pathText(path: readonly (PropertyKey | { readonly key: PropertyKey })[]): string {
  return ['properties', ...path.map((segment) => String(typeof segment === 'object' ? segment.key : segment))].join('.');
}

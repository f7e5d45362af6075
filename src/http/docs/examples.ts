import { nameOfRef, type DescribedOperation, type Schema } from './described.ts';

type Named = Readonly<Record<string, Schema>>;

/** What could be sent: the properties that have an example of their own, and those that are required. Undefined where there are none. */
export function exampleBody(schema: Schema, named: Named): unknown {
  const found = resolved(schema, named);
  if (found.example !== undefined) return found.example;
  const { properties = {}, required = [] } = found;
  const entries = Object.entries(properties).flatMap(([key, property]): [string, unknown][] => {
    const own = resolved(property, named);
    if (own.example !== undefined) return [[key, own.example]];
    return required.includes(key) ? [[key, exampleOf(property, named)]] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** What a value of a schema looks like. A schema within itself ends at its second appearance. */
export function exampleOf(schema: Schema, named: Named, inside: readonly string[] = []): unknown {
  const name = nameOfRef(schema);
  if (name !== undefined) return inside.includes(name) ? undefined : exampleOf(named[name] ?? {}, named, [...inside, name]);
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const [first] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
  if (first !== undefined) return exampleOf(first, named, inside);
  return exampleOfType(schema, (part) => exampleOf(part, named, inside));
}

function exampleOfType(schema: Schema, exampleOfPart: (part: Schema) => unknown): unknown {
  switch (typeof schema.type === 'object' ? schema.type[0] : schema.type) {
    case 'string':
      return schema.format === 'date-time' ? '2026-11-22T12:30:00.000Z' : 'text';
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'array': {
      const item = exampleOfPart(schema.items ?? {});
      return item === undefined ? [] : [item];
    }
    case undefined:
    default:
      return objectOf(schema, exampleOfPart);
  }
}

function objectOf({ properties = {} }: Schema, exampleOfPart: (part: Schema) => unknown): unknown {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([key, property]) => {
      const value = exampleOfPart(property);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function resolved(schema: Schema, named: Named): Schema {
  const name = nameOfRef(schema);
  if (name !== undefined) return named[name] ?? {};
  // A reference with a description of its own.
  const [only] = schema.allOf ?? [];
  return only === undefined ? schema : { ...resolved(only, named), ...schema };
}

/** A call of the operation as one would type it. */
export function curlOf(operation: DescribedOperation, base: string, named: Named): string {
  const { method, path, parameters, body, security } = operation;
  const valueOf = ({ name, schema }: { name: string; schema: Schema }): string =>
    typeof schema.example === 'string' ? schema.example : `{${name}}`;
  const filled = parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce((text, parameter) => text.replace(`{${parameter.name}}`, encodeURIComponent(valueOf(parameter))), path);
  const sent = body === undefined ? undefined : exampleBody(body, named);
  const needsToken = security === undefined || security.length > 0;
  return [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${base}${filled}`,
    ...(needsToken ? [`-H "Authorization: Bearer $REDRIVE_TOKEN"`] : []),
    ...(sent === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(sent)}'`]),
  ].join(' \\\n  ');
}

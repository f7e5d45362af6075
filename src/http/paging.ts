import { z } from '@hono/zod-openapi';

/** How many, as a query parameter. */
export function upTo(most: number, fallback: number): z.ZodDefault<z.ZodCoercedNumber> {
  return z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .max(most, `must be at most ${most}`)
    .default(fallback)
    .openapi({ description: `How many, 1 to ${most}.` });
}

/** The query parameters of a list that is given page by page. */
export const page = {
  limit: upTo(200, 25),
  cursor: z.string().min(1).max(200).optional().openapi({ description: 'Where to go on; from the `Link` header of an earlier page.' }),
};

/** The `Link` header that leads to the next page. */
export function linkTo(path: string, query: Readonly<Record<string, string | number>>): string {
  const parameters = Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]);
  return `<${path}?${new URLSearchParams(parameters).toString()}>; rel="next"`;
}

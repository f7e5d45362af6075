import type { OpenApiDocument } from './document.ts';
export function docsPage(document: OpenApiDocument): { html: string; policy: string } {
  return { html: JSON.stringify(document), policy: "default-src 'none'" };
}

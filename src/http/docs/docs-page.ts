import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { curlOf, exampleOf } from './examples.ts';
import { nameOfRef, operationsOf, schemasOf, type DescribedOperation, type Parameter, type Reply, type Schema } from './described.ts';
import type { OpenApiDocument } from './document.ts';
import { style } from './style.ts';

type Html = ReturnType<typeof html>;
type Named = Readonly<Record<string, Schema>>;

/** What the browser may load for the page: its own style, and nothing from anywhere. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The document as a page for people. `origin`: where it is served, for the examples. */
export async function docsPage(document: OpenApiDocument, origin: string): Promise<string> {
  const operations = operationsOf(document);
  const named = schemasOf(document);
  const basePath = document.servers?.[0]?.url.replace(/\/$/, '') ?? '';
  const groups = (document.tags ?? [])
    .map(({ name }) => ({ name, operations: operations.filter(({ tags }) => tags[0] === name).toSorted(onesLast) }))
    .filter((group) => group.operations.length > 0);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Redrive HTTP API</title>
<style>${raw(style)}</style>
</head>
<body>
<div class="page">
<nav>
<a class="name" href="#top">Redrive <span class="version">${document.info.version}</span></a>
${groups.map((group) => html`<h2>${group.name}</h2><ul>${group.operations.map(navItem)}</ul>`)}
<h2>Shapes</h2><ul>${Object.keys(named).map((name) => html`<li><a href="#${anchor(name)}">${name}</a></li>`)}</ul>
</nav>
<main>
<h1 id="top">HTTP API</h1>
<p class="lead">${text(document.info.description ?? '')}</p>
<p class="lead">Times are ISO-8601 in UTC. An answer that is no success is <code>{ "detail", "code" }</code>. The same as an
<a href="${basePath}/openapi.json">OpenAPI 3.1 document</a>.</p>
${groups.map((group) => html`<section><h2>${group.name}</h2>${group.operations.map((one) => article(one, `${origin}${basePath}`, named))}</section>`)}
<section><h2>Shapes</h2>${Object.entries(named).map(([name, schema]) => shape(name, schema))}</section>
</main>
</div>
</body>
</html>
`;
  return String(await page);
}

/** What is about one thing of many comes after what is about all, and looking comes before doing. */
function onesLast(a: DescribedOperation, b: DescribedOperation): number {
  return Number(a.path.includes('{')) - Number(b.path.includes('{')) || Number(a.method !== 'GET') - Number(b.method !== 'GET');
}

function navItem({ method, summary, operationId }: DescribedOperation): Html {
  return html`<li><a href="#${operationId}"><span class="method ${method}">${method}</span><span>${summary}</span></a></li>`;
}

function article(operation: DescribedOperation, base: string, named: Named): Html {
  const { method, path, operationId, summary, description, security, parameters, body, bodyRequired, replies } = operation;
  const good = replies.filter(([status]) => status < 400);
  const faults = replies.filter(([status]) => status >= 400);
  return html`<article id="${operationId}">
<h3>${summary}</h3>
<div class="route"><span class="method ${method}">${method}</span><code>${path}</code>${security?.length === 0 ? html`<span class="open">no token needed</span>` : ''}</div>
${description === undefined ? '' : html`<p>${text(description)}</p>`}
${parameters.length === 0 ? '' : html`<h4>Parameters</h4><table>${parameters.map(parameterRow)}</table>`}
${body === undefined ? '' : html`<h4>Body${bodyRequired ? '' : ', optional'}</h4>${properties(body)}`}
<h4>Answer</h4>
<table>${good.map(([status, reply]) => replyRow(status, reply))}</table>
<pre><code>${curlOf(operation, base, named)}</code></pre>
${good.slice(0, 1).map(([, reply]) => exampleAnswer(reply, named))}
<details><summary>What else it may answer</summary><table>${faults.map(([status, reply]) => replyRow(status, reply))}</table></details>
</article>`;
}

function parameterRow({ name, in: place, required, schema, description }: Parameter): Html {
  const fallback = schema.default === undefined ? '' : html` Default: <code>${JSON.stringify(schema.default)}</code>.`;
  return html`<tr><td><code>${name}</code></td><td><span class="type">${place}, ${typeOf(schema)}</span>${required === true ? html` <span class="required">required</span>` : ''}</td><td><p>${text(description ?? schema.description ?? '')}${fallback}</p></td></tr>`;
}

function replyRow(status: number, { description, content, headers = {} }: Reply): Html {
  const schema = content?.['application/json']?.schema;
  const media = Object.keys(content ?? {}).filter((one) => one !== 'application/json');
  return html`<tr><td><span class="status ${status < 400 ? 'good' : ''}">${status}</span>${status >= 400 ? '' : html` <span class="type">${schema === undefined ? media.join(', ') : typeOf(schema)}</span>`}</td><td><p>${text(description)}</p>${Object.entries(headers).map(([name, header]) => html`<p><code>${name}</code> ${text(header.description)}</p>`)}</td></tr>`;
}

function exampleAnswer({ content = {} }: Reply, named: Named): Html | string {
  const schema = content['application/json']?.schema;
  if (schema === undefined) return '';
  return html`<details><summary>Example</summary><pre><code>${JSON.stringify(exampleOf(schema, named), null, 2)}</code></pre></details>`;
}

function shape(name: string, schema: Schema): Html {
  return html`<article id="${anchor(name)}"><h3>${name}</h3>${properties(schema)}</article>`;
}

function properties(schema: Schema): Html | string {
  const { properties: shown, required = [] } = schema;
  if (shown === undefined) return html`<p class="type">${typeOf(schema)}</p>`;
  return html`<table>${Object.entries(shown).map(
    ([key, property]) =>
      html`<tr><td><code>${key}</code></td><td><span class="type">${typeOf(property)}</span>${required.includes(key) ? '' : html` <span class="type">optional</span>`}</td><td><p>${text(property.description ?? '')}</p></td></tr>`,
  )}</table>`;
}

/** A type in words, with links to named ones. */
function typeOf(schema: Schema): Html | string {
  const name = nameOfRef(schema);
  if (name !== undefined) return html`<a href="#${anchor(name)}">${name}</a>`;
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (parts !== undefined) return html`${parts.map((part, index) => html`${index === 0 ? '' : ' or '}${typeOf(part)}`)}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ');
  if (schema.items !== undefined) return html`array of ${typeOf(schema.items)}`;
  if (schema.type === undefined) return 'JSON';
  const type = typeof schema.type === 'string' ? schema.type : schema.type.join(' or ');
  return schema.format === 'date-time' ? type.replace('string', 'time') : type;
}

/** Our own text, where words between backticks are code. */
function text(written: string): Html {
  return html`${written.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}`;
}

function anchor(name: string): string {
  return `shape-${name}`;
}

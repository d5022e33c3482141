import { readFileSync } from 'node:fs';
import path from 'node:path';
import { exampleOf, schemaRows, typeOf } from './docs-schema.ts';
import type { OpenApiDocument, OpenApiResponse, Operation } from './openapi.ts';
import { problems } from './problem.ts';
import { content, route, type Reply, type Route } from './route.ts';
import type { JsonSchema } from './schema/compile.ts';

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character] as string);

/** No script, no image, nothing from elsewhere: one style sheet of our own. */
const pagePolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `/openapi.json`, and `/docs`: the same document for people. Both are made once, when somebody first asks. */
export function docsRoutes(document: OpenApiDocument): readonly Route[] {
  const fixed = (at: string, operationId: string, mediaType: string, make: () => string, headers: Readonly<Record<string, string>> = {}): Route => {
    let reply: Reply | undefined;
    return route({
      method: 'GET', path: at, operationId, tag: 'Service', summary: 'Description of this interface', access: 'public',
      responses: { 200: { description: 'The description.', mediaType } }, errors: [],
      handler: async () => reply ??= { ...(content(mediaType, Buffer.from(make())) as Extract<Reply, { mediaType: string }>), headers },
    });
  };
  const style = readFileSync(path.join(import.meta.dirname, 'docs-page.css'), 'utf8');
  return [
    fixed('/openapi.json', 'getOpenApi', 'application/json', () => JSON.stringify(document)),
    fixed('/docs', 'getDocs', 'text/html; charset=utf-8', () => docsPage(document), { 'Content-Security-Policy': pagePolicy }),
    fixed('/docs/style.css', 'getDocsStyle', 'text/css; charset=utf-8', () => style),
  ];
}

type Entry = { readonly path: string; readonly method: string; readonly operation: Operation };

/** The whole description as one HTML page. */
export function docsPage(document: OpenApiDocument): string {
  const entries: readonly Entry[] = Object.entries(document.paths).flatMap(([at, operations]) => Object.entries(operations).map(([method, operation]) => ({ path: at, method: method.toUpperCase(), operation })));
  const tags = document.tags.map(({ name }) => ({ name, entries: entries.filter(({ operation }) => operation.tags.includes(name)) }));
  const schemaNames = Object.keys(document.components.schemas).sort();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(document.info.title)}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<nav aria-label="Contents">
<p class="brand"><a href="#top">${escapeHtml(document.info.title)}</a></p>
${tags.map(({ name, entries: members }) => `<h2>${escapeHtml(name)}</h2>\n<ul>${members.map(({ method, operation }) => `<li><a href="#${operation.operationId}"><span class="method ${method.toLowerCase()}">${method}</span> ${escapeHtml(operation.summary)}</a></li>`).join('')}</ul>`).join('\n')}
<h2>Reference</h2>
<ul><li><a href="#errors">Errors</a></li>${schemaNames.map((name) => `<li><a href="#schema-${name}">${name}</a></li>`).join('')}</ul>
</nav>
<main id="top">
<h1>${escapeHtml(document.info.title)}</h1>
<p class="lead">${escapeHtml(document.info.summary)}</p>
${paragraphs(document.info.description)}
<p>Machine-readable: <a href="/openapi.json">OpenAPI ${escapeHtml(document.openapi)}</a>. Base address: <code>${escapeHtml(document.servers[0]?.url ?? '')}</code></p>
${tags.map(({ name, entries: members }) => `<section>\n<h2>${escapeHtml(name)}</h2>\n${members.map((entry) => operationHtml(entry, document)).join('\n')}\n</section>`).join('\n')}
<section>
<h2 id="errors">Errors</h2>
<p>Every error has <code>type</code>, <code>title</code>, <code>status</code>, <code>detail</code>, <code>code</code> and <code>instance</code>, which names the request.</p>
<div class="table"><table><thead><tr><th>Status</th><th>Code</th><th>Title</th></tr></thead><tbody>
${Object.entries(problems).sort(([, one], [, other]) => one.status - other.status).map(([code, { status, title }]) => `<tr id="error-${code}"><td>${status}</td><td><code>${code}</code></td><td>${escapeHtml(title)}</td></tr>`).join('\n')}
</tbody></table></div>
</section>
<section>
<h2>Schemas</h2>
${schemaNames.map((name) => `<details><summary><code>${name}</code></summary><div class="body" id="schema-${name}">${schemaHtml(document.components.schemas[name] ?? {}, document)}</div></details>`).join('\n')}
</section>
</main>
</body>
</html>
`;
}

function paragraphs(text: string): string {
  return text.split(/\n\s*\n/).map((paragraph) => `<p>${inline(paragraph)}</p>`).join('\n');
}

/** Plain text in which \`code\` is set as code. */
function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

// the anchor stands inside, so that following a link to it opens the details
function operationHtml({ path: at, method, operation }: Entry, document: OpenApiDocument): string {
  const payload = operation['x-veilgate-payload'];
  const body = Object.entries(operation.requestBody?.content ?? {});
  const scopes = operation.security.flatMap(({ dpop }) => dpop ?? []);
  return `<details class="operation">
<summary><span class="method ${method.toLowerCase()}">${method}</span> <code>${escapeHtml(at)}</code> <span class="summary">${escapeHtml(operation.summary)}</span></summary>
<div class="body" id="${operation.operationId}">
${operation.description === undefined ? '' : paragraphs(operation.description)}
<p>${scopes.length === 0 ? 'Open to anybody.' : `Needs a token with the scope ${scopes.map((scope) => `<code>${escapeHtml(scope)}</code>`).join(' or ')}.`}</p>
${parametersHtml(operation)}
${body.map(([type, media]) => `<h3>Body <code>${escapeHtml(type)}</code></h3>${operation.requestBody?.description === undefined ? '' : `<p>${inline(operation.requestBody.description)}</p>`}${media.schema === undefined || payload !== undefined ? '' : schemaHtml(media.schema, document)}`).join('\n')}
${payload === undefined ? '' : `<h3>Claims of the <code>${escapeHtml(payload.typ)}</code></h3>${schemaHtml(payload.schema, document)}`}
<h3>Try it</h3>
<pre><code>${escapeHtml(curlOf(at, method, operation, document))}</code></pre>
${operation['x-veilgate-cli'] === undefined ? '' : `<pre><code>${escapeHtml(operation['x-veilgate-cli'])}</code></pre>`}
<h3>Answers</h3>
${Object.entries(operation.responses).map(([status, response]) => responseHtml(status, response, document)).join('\n')}
</div>
</details>`;
}

function parametersHtml({ parameters = [] }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(({ name, in: place, required, description, schema }) =>
    `<tr><td><code>${escapeHtml(name)}</code>${required ? ' <span class="required">required</span>' : ''}</td><td>${place}</td><td>${typeOf(schema)}</td><td>${inline(description ?? '')}</td></tr>`);
  return `<h3>Parameters</h3><div class="table"><table><thead><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function schemaHtml(schema: JsonSchema, document: OpenApiDocument): string {
  const rows = schemaRows(schema, document.components.schemas);
  const about = typeof schema['description'] === 'string' ? `<p>${inline(schema['description'])}</p>` : '';
  const table = rows.length === 0
    ? `<p>${typeOf(schema)}</p>`
    : `<div class="table"><table><thead><tr><th>Member</th><th>Type</th><th></th></tr></thead><tbody>${rows.map(({ name, depth, required, type, description }) => `<tr><td class="depth${Math.min(depth, 4)}"><code>${escapeHtml(name)}</code>${required ? ' <span class="required">required</span>' : ''}</td><td>${type}</td><td>${inline(description)}</td></tr>`).join('')}</tbody></table></div>`;
  return about + table;
}

function responseHtml(status: string, response: OpenApiResponse, document: OpenApiDocument): string {
  const codes = response['x-veilgate-codes'];
  if (codes !== undefined) return `<p><span class="status bad">${status}</span> ${codes.map((code) => `<a href="#error-${code}"><code>${code}</code></a>`).join(' ')}</p>`;
  const [type, media] = Object.entries(response.content ?? {})[0] ?? [];
  const example = media?.example ?? (media?.schema === undefined ? undefined : exampleOf(media.schema, document.components.schemas));
  return `<p><span class="status ${status.startsWith('2') ? 'good' : 'bad'}">${status}</span> ${inline(response.description)}${type === undefined ? '' : ` <code>${escapeHtml(type)}</code>`}</p>${
    media?.schema === undefined ? '' : `<details class="inner"><summary>Form</summary>${schemaHtml(media.schema, document)}</details>`}${
    example === undefined ? '' : `<details class="inner"><summary>Example</summary><pre><code>${escapeHtml(JSON.stringify(example, null, 2))}</code></pre></details>`}`;
}

function curlOf(at: string, method: string, operation: Operation, document: OpenApiDocument): string {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query' && parameter.required).map(({ name }) => `${name}=…`).join('&');
  const headers = [
    ...(operation.security.length === 0 ? [] : ['"Authorization: DPoP $TOKEN"', '"DPoP: $PROOF"']),
    ...((operation.parameters ?? []).some(({ name }) => name === 'Idempotency-Key') ? ['"Idempotency-Key: $(uuidgen)"'] : []),
    ...(type === undefined ? [] : [`"Content-Type: ${type}"`]),
  ];
  const example = media?.example ?? (media?.schema === undefined ? undefined : exampleOf(media.schema, document.components.schemas));
  const data = type === undefined ? [] : type === 'application/json' ? [`-d '${JSON.stringify(example ?? {}).replaceAll("'", "'\\''")}'`] : [`--data-binary @${type === 'application/jwt' ? 'request.jwt' : 'records'}`];
  const url = `"$GATEWAY${at}${query === '' ? '' : `?${query}`}"`;
  return [`curl ${method === 'GET' ? '' : `-X ${method} `}${url}`, ...headers.map((header) => `-H ${header}`), ...data].join(' \\\n  ');
}

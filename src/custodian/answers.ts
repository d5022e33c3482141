import type { ServerResponse } from 'node:http';

/**
 * All that a custodian ever answers. Refusals are one constant: same status, same bytes, whatever was wrong. So are the
 * faults of its own, which say "not now" and nothing else.
 */
type Answer = { readonly status: number; readonly mediaType: string; readonly content: string | Uint8Array };

const problem = (status: number, code: string, title: string): Answer => ({
  status, mediaType: 'application/problem+json', content: JSON.stringify({ type: `urn:veilgate:error:${code}`, title, status, code }),
});

export const answers = {
  refused: problem(403, 'CUSTODIAN_REFUSED', 'Not opened'),
  unavailable: problem(503, 'CUSTODIAN_UNAVAILABLE', 'Not now'),
  absent: problem(404, 'REQUEST_NOT_FOUND', 'Not found'),
} as const;

export const json = (value: unknown, status = 200): Answer => ({ status, mediaType: 'application/json', content: JSON.stringify(value) });
export const half = (jwe: string): Answer => ({ status: 200, mediaType: 'application/jose', content: jwe });
export const bytes = (content: Uint8Array): Answer => ({ status: 200, mediaType: 'application/octet-stream', content });
export const text = (content: string): Answer => ({ status: 200, mediaType: 'text/plain; charset=utf-8', content });

export function send(response: ServerResponse, { status, mediaType, content }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'Content-Type': mediaType, 'Content-Length': Buffer.byteLength(content), 'Cache-Control': 'no-store' }).end(content);
}

import { compactVerify, createLocalJWKSet, errors as joseErrors, type JSONWebKeySet } from 'jose';
import { toHex, utf8 } from '../audit/bytes.ts';
import { canonicalJson } from '../canonical.ts';
import { isVeilgateError, VeilgateError } from '../errors.ts';
import { parseStrictJson } from '../strict-json.ts';
import type { Connection } from './connection.ts';

/** One line of an export: its `part` says what it is (docs/formats/export.md). */
export type ExportLine = { readonly part: string } & Readonly<Record<string, unknown>>;

/** What the platform signed of an export. */
export type ExportManifest = {
  readonly iss: string;
  /** Credit code of the enterprise. */
  readonly sub: string;
  readonly export: string;
  readonly at: string;
  readonly form: 'ndjson' | 'csv';
  /** The one part that was exported; null: everything. */
  readonly scope: string | null;
  /** SHA-256, hex, of every byte before the manifest, or of the whole table. */
  readonly sha256: string;
  readonly log: { readonly origin: string; readonly index: number; readonly commitment: string; readonly salt: string };
} & Readonly<Record<string, unknown>>;

export type CheckedExport = { readonly lines: readonly ExportLine[]; readonly manifest: ExportManifest };

/** Records, grants, requests, objections and accesses of one's own, to take along. */
export function exportClient({ send }: Pick<Connection, 'send'>) {
  const get = (query: Record<string, string>) => send({ method: 'GET', path: `/v1/export?${new URLSearchParams(query)}` });
  return {
    /** As it comes, for a file: everything, or one part. Check it with `checkExport`. */
    exportStream: async (part?: string): Promise<ReadableStream<Uint8Array>> => streamOf(await get({ format: 'ndjson', ...(part === undefined ? {} : { part }) })),
    /** The same as text. */
    exportText: async (part?: string): Promise<string> => (await get({ format: 'ndjson', ...(part === undefined ? {} : { part }) })).text(),
    /** One part as a table; `manifest` is the JWS that goes with it, see `checkTable`. */
    async exportTable(part: string): Promise<{ readonly csv: string; readonly manifest: string }> {
      const response = await get({ format: 'csv', part });
      return { csv: await response.text(), manifest: response.headers.get('veilgate-manifest') ?? '' };
    },
  };
}

export type ExportTrust = { readonly keys: JSONWebKeySet; /** URL of the platform. */ readonly issuer: string };

/**
 * Reads an export and holds it against its manifest: complete, unchanged, and this platform's.
 * Errors: EXPORT_INVALID with detail.fault `incomplete | form | signature | issuer | content`.
 */
export async function checkExport(text: string, trust: ExportTrust): Promise<CheckedExport> {
  const start = text.lastIndexOf('\n', text.length - 2) + 1;
  const last = text.endsWith('\n') ? lineOf(text.slice(start, -1)) : undefined;
  if (last?.part !== 'manifest' || typeof last['jws'] !== 'string') invalid('incomplete', 'The export does not end in its manifest: it broke off, take it once more.');
  const body = text.slice(0, start);
  const lines = body.split('\n').slice(0, -1).map(lineOf);
  const manifest = await verified(last['jws'], trust);
  const { part: _part, jws: _jws, ...shown } = last;
  const agrees = Object.entries(shown).every(([name, value]) => canonicalJson(value) === canonicalJson(manifest[name] ?? null));
  if (!agrees || manifest.form !== 'ndjson' || manifest['lines'] !== lines.length || manifest.sha256 !== await sha256Hex(body)) changed();
  return { lines, manifest };
}

/** The same for a table and the manifest that came with it. */
export async function checkTable(csv: string, manifestJws: string, trust: ExportTrust): Promise<ExportManifest> {
  const manifest = await verified(manifestJws, trust);
  if (manifest.form !== 'csv' || manifest.sha256 !== await sha256Hex(csv)) changed();
  return manifest;
}

async function verified(jws: string, { keys, issuer }: ExportTrust): Promise<ExportManifest> {
  try {
    const { payload } = await compactVerify(jws, createLocalJWKSet(keys), { algorithms: ['EdDSA', 'Ed25519'] });
    const manifest = parseStrictJson(new TextDecoder().decode(payload)) as ExportManifest;
    if (manifest.iss !== issuer) invalid('issuer', 'The export is by another platform: check whom it came from.');
    return manifest;
  } catch (error) {
    if (isVeilgateError(error, 'EXPORT_INVALID')) throw error;
    if (error instanceof joseErrors.JOSEError || error instanceof TypeError || isVeilgateError(error)) invalid('signature', 'The manifest is not signed by the platform: do not rely on the export.');
    throw error;
  }
}

function lineOf(text: string): ExportLine {
  try {
    return parseStrictJson(text) as ExportLine;
  } catch {
    invalid('form', 'A line of the export is no JSON: take it once more.');
  }
}

async function sha256Hex(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))));
}

function streamOf({ body }: Response): ReadableStream<Uint8Array> {
  if (body === null) invalid('incomplete', 'The export is empty: take it once more.');
  return body;
}

function changed(): never {
  invalid('content', 'The export is not what its manifest says: it was changed, take it once more.');
}

function invalid(fault: string, message: string): never {
  throw new VeilgateError('EXPORT_INVALID', message, { fault });
}

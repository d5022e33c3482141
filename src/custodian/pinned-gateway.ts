import { readFileSync, statSync } from 'node:fs';
import { VeilgateError } from '../errors.ts';
import { importVerificationKey, type VerificationKey } from '../identity/verification-key.ts';
import { parseStrictJson } from '../strict-json.ts';
import type { CustodianConfig } from './settings.ts';
import type { PinnedGateway } from './ticket.ts';

const fileLengthMax = 65_536;
const keysMax = 20;
const fetchTimeoutMs = 10_000;

/**
 * The gateway as configured: its URL, and its keys out of a file, or fetched once and held against pinned thumbprints.
 * Where thumbprints are given, only those count, wherever the keys came from.
 * Errors: CONFIG_INVALID, CONFIG_INSECURE, KEY_REFUSED.
 */
export async function pinnedGateway(config: Pick<CustodianConfig, 'gatewayUrl' | 'gatewayJwksFile' | 'gatewayJwksUrl' | 'gatewayKeyThumbprints'>, fetchJson: typeof fetch = fetch): Promise<PinnedGateway> {
  const { gatewayUrl, gatewayJwksFile, gatewayJwksUrl, gatewayKeyThumbprints: pins } = config;
  if (gatewayUrl === undefined || (gatewayJwksFile === undefined && gatewayJwksUrl === undefined)) {
    throw invalid('A custodian needs to know its gateway: set CUSTODIAN_GATEWAY_URL, and CUSTODIAN_GATEWAY_JWKS_FILE or CUSTODIAN_GATEWAY_JWKS_URL.');
  }
  if (gatewayJwksFile === undefined && pins.length === 0) throw new VeilgateError('CONFIG_INSECURE', 'Keys that are fetched count only when their thumbprint is pinned: set CUSTODIAN_GATEWAY_KEY_THUMBPRINTS.');
  const jwks = parse(gatewayJwksFile === undefined ? await fetched(gatewayJwksUrl ?? '', fetchJson) : read(gatewayJwksFile));
  const keys = jwks.map(importVerificationKey).filter(({ thumbprint }) => pins.length === 0 || pins.includes(thumbprint));
  const missing = pins.filter((pin) => !keys.some(({ thumbprint }) => thumbprint === pin));
  if (keys.length === 0 || missing.length > 0) throw new VeilgateError('CONFIG_INSECURE', 'The gateway\'s keys are not the pinned ones: find out why before anything is pinned anew.');
  return { url: gatewayUrl, keys: byKid(keys) };
}

function byKid(keys: readonly VerificationKey[]): ReadonlyMap<string, VerificationKey> {
  const map = new Map(keys.map((key) => [key.kid, key]));
  if (map.size < keys.length) throw invalid('Two keys of the gateway have one kid: ask the gateway for its keys again.');
  return map;
}

function read(file: string): string {
  const { size, mode } = statSync(file);
  if (size > fileLengthMax) throw invalid('CUSTODIAN_GATEWAY_JWKS_FILE is too long for a set of keys.');
  // who can write it decides whose tickets are good
  if (process.platform !== 'win32' && (mode & 0o022) !== 0) throw new VeilgateError('CONFIG_INSECURE', 'CUSTODIAN_GATEWAY_JWKS_FILE can be written by others: chmod go-w.');
  return readFileSync(file, 'utf8');
}

async function fetched(url: string, fetchJson: typeof fetch): Promise<string> {
  try {
    const response = await fetchJson(url, { redirect: 'error', signal: AbortSignal.timeout(fetchTimeoutMs) });
    const text = response.ok ? await response.text() : '';
    if (text.length > 0 && text.length <= fileLengthMax) return text;
  } catch {
    // said below
  }
  throw invalid('The gateway\'s keys cannot be fetched from CUSTODIAN_GATEWAY_JWKS_URL: start the gateway first, or use a file.');
}

function parse(text: string): readonly unknown[] {
  let set: { readonly keys?: unknown } | null = null;
  try {
    set = parseStrictJson(text, { maxLength: fileLengthMax }) as { readonly keys?: unknown } | null;
  } catch {
    // said below
  }
  const keys = set?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > keysMax) throw invalid('The gateway\'s keys are no JWK set (RFC 7517): fetch them again.');
  return keys;
}

function invalid(message: string): VeilgateError {
  return new VeilgateError('CONFIG_INVALID', message);
}

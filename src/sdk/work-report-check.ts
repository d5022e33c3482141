import { createLocalJWKSet, errors as joseErrors, jwtVerify, type JSONWebKeySet } from 'jose';
import { canonicalJson } from '../canonical.ts';
import { VeilgateError } from '../errors.ts';
import { sha256Hex } from './bank.ts';
import type { WorkReportView } from './reports.ts';

/**
 * Throws unless the platform signed exactly this closed report (docs/formats/work-report.md).
 * @param keys the platform's keys, learned in a way the reader trusts
 * @param issuer the platform's URL
 * @returns seconds since the epoch when it was signed
 * Errors: REPORT_INVALID with detail.fault `malformed` (not closed), `signature` or `changed`.
 */
export async function checkWorkReport({ report, digest, signature }: Pick<WorkReportView, 'report' | 'digest' | 'signature'>, keys: JSONWebKeySet, issuer: string): Promise<number> {
  if (report.state !== 'closed' || signature === null) invalid('malformed', 'The report is not closed yet, so nobody has signed it: ask for it again when the month is over.');
  const expected = { typ: 'work-report+jwt', issuer, algorithms: ['EdDSA', 'Ed25519'] };
  const { payload } = await jwtVerify(signature, createLocalJWKSet(keys), expected).catch((error: unknown) => {
    if (error instanceof joseErrors.JOSEError) invalid('signature', 'The report is not signed by the platform: do not rely on it, and report it.');
    throw error;
  });
  const own = await sha256Hex(canonicalJson(report));
  const isSame = payload['report'] === own && payload['month'] === report.month && digest === own;
  if (!isSame || payload.iat === undefined) invalid('changed', 'The report was changed after the platform signed it: do not rely on it, and report it.');
  return payload.iat;
}

function invalid(fault: string, message: string): never {
  throw new VeilgateError('REPORT_INVALID', message, { fault });
}

import { appendRecords } from '../../audit/append.ts';
import { recordHead } from '../../audit/entry.ts';
import { readRequest, type RequestVault } from '../../audit/request-vault.ts';
import type { Clock } from '../../clock.ts';
import { signatureKeyEver, type DatedKey } from '../../identity/registry/party-key.ts';
import type { Database } from '../../store/database.ts';
import type { PartyId } from '../../vocabulary.ts';

export type ShownRequest = {
  /** Compact JWS as the institution sent it. */
  readonly request: string;
  /** The key its header names, as the registry has it; null when the registry has lost it. */
  readonly key: DatedKey | null;
};

export type SignedRequests = {
  /**
   * What an institution signed, for an auditor. It may hold what was claimed of an enterprise, so showing it is logged,
   * durable before it is shown.
   * Errors: AUDIT_REQUEST_NOT_FOUND, AUDIT_REQUEST_UNREADABLE.
   */
  readonly show: (index: number, auditor: PartyId) => Promise<ShownRequest>;
};

export function signedRequests(database: Database, clock: Clock, vault: RequestVault): SignedRequests {
  return {
    show: (index, auditor) => database.transaction('show signed request', async (tx) => {
      const request = await readRequest(tx, vault, index);
      const { kid, issuer } = signerOf(request);
      const key = await signatureKeyEver(tx, issuer, kid);
      await appendRecords(tx, [{ ...recordHead('request.shown', clock.nowMs(), auditor), entry: index }]);
      return { request, key: key ?? null };
    }),
  };
}

/** Whom a request that was verified when it came says it is from. */
function signerOf(request: string): { readonly kid: string; readonly issuer: PartyId } {
  const [header, payload] = request.split('.', 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as { kid: string; iss: PartyId });
  return { kid: header?.kid ?? '', issuer: payload?.iss ?? ('' as PartyId) };
}

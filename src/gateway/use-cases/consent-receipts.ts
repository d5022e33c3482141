import type { Clock } from '../../clock.ts';
import { grantHistory } from '../../consent/events.ts';
import type { StoredGrant } from '../../consent/grant-row.ts';
import { consentReceipt } from '../../consent/receipt.ts';
import { readInstitution } from '../../identity/registry/institution-view.ts';
import { readParty } from '../../identity/registry/party.ts';
import type { CompiledPolicy } from '../../policy/policy.ts';
import type { Database } from '../../store/database.ts';
import type { Catalogue, PartyId, Signer } from '../../vocabulary.ts';

export type ConsentReceipts = { readonly issue: (grant: StoredGrant) => Promise<string> };

export type ConsentReceiptParts = {
  readonly database: Database;
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly policy: () => CompiledPolicy;
  readonly signer: Signer;
  /** Public URLs: the gateway's, and the authorization server's, where an enterprise manages its consents. */
  readonly gatewayUrl: string;
  readonly issuerUrl: string;
  /** ISO 3166 code of where the platform keeps data. */
  readonly dataRegion: string;
};

/** Makes the receipt an enterprise keeps of a consent (ISO/IEC TS 27560). */
export function consentReceipts(parts: ConsentReceiptParts): ConsentReceipts {
  return {
    async issue(grant) {
      const institution = await readInstitution(parts.database, grant.institution);
      const datasets = [...parts.catalogue.datasets.values()].filter(({ fields }) => fields.some(({ ref }) => grant.fields.has(ref)));
      const departments = [...new Set(datasets.map(({ department }) => department))];
      const suppliers = await Promise.all(
        departments.map(async (id) => ({ id, name: (await readParty(parts.database, id as PartyId))?.name?.en ?? id })),
      );
      return consentReceipt(
        grant,
        await grantHistory(parts.database, grant.id),
        parts.catalogue,
        {
          issuer: parts.gatewayUrl,
          platform: { id: parts.gatewayUrl, name: 'Veilgate platform', url: parts.gatewayUrl },
          institution: { id: grant.institution, name: institution.name?.en ?? grant.institution },
          suppliers,
          noticeUrl: `${parts.issuerUrl}/consents`,
          language: 'en',
          withdrawalUrl: `${parts.issuerUrl}/consents`,
          rightsUrl: `${parts.issuerUrl}/consents`,
          jurisdiction: parts.dataRegion,
          storageLocations: [parts.dataRegion],
          purposeTitle: parts.policy().purposes.get(grant.purpose)?.title.en ?? grant.purpose,
        },
        parts.signer,
        parts.clock,
      );
    },
  };
}

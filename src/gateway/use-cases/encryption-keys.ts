import { sealingKey } from '../../disclosure/seal.ts';
import { VeilgateError } from '../../errors.ts';
import { activeEncryptionKeys, activeEncryptionKeysNamed } from '../../identity/registry/party-key.ts';
import { batcher } from '../../store/batch.ts';
import type { Database } from '../../store/database.ts';
import type { PartyId, PublicJwk } from '../../vocabulary.ts';

/**
 * The key to seal with for a party, as the registry has it at this moment: a retired key must not be sealed for.
 * Looked up for all answers that are being sealed together; undefined when the party has none that can be used.
 */
export function encryptionKeys(database: Database): (party: PartyId) => Promise<PublicJwk | undefined> {
  return batcher<PartyId, PublicJwk | undefined>(
    async (parties) => {
      const keys = new Map([...await activeEncryptionKeys(database, parties)].map(([party, own]) => [party, sealingKey(own)]));
      return parties.map((party) => keys.get(party));
    },
    { maxItems: 128, maxWaiting: 4096, onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit: try again in a second.') },
  );
}

/** The key a request names by its thumbprint (RFC 7638), while it is in use; undefined when the party has no such key. */
export function encryptionKeyByThumbprint(database: Database): (party: PartyId, thumbprint: string) => Promise<PublicJwk | undefined> {
  const find = batcher<{ readonly party: PartyId; readonly thumbprint: string }, PublicJwk | undefined>(
    async (asked) => {
      const found = await activeEncryptionKeysNamed(database, asked.map(({ thumbprint }) => thumbprint));
      const keys = new Map(found.map(({ party, thumbprint, jwk }) => [`${party} ${thumbprint}`, sealingKey([jwk])]));
      return asked.map(({ party, thumbprint }) => keys.get(`${party} ${thumbprint}`));
    },
    { maxItems: 128, maxWaiting: 4096, onFull: () => new VeilgateError('REQUEST_OVERLOADED', 'The platform is at its limit: try again in a second.') },
  );
  return (party, thumbprint) => find({ party, thumbprint });
}

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../clock.ts';
import { VeilgateError } from '../errors.ts';
import { openKeyring } from '../identity/keyring.ts';
import type { PublicJwk } from '../vocabulary.ts';
import type { Config } from './config.ts';
import { startCustodianChild } from './custodian-child.ts';
import { gatewayUrlOf } from './gateway.ts';
import type { Log } from './log.ts';
import type { CustodianAddress } from './scoring.ts';

/** The custodian of this node: where it is, and how it is stopped when it is the node's own. */
export type FoundCustodian = { readonly address: CustodianAddress; readonly stop: () => Promise<void> };

/**
 * Starts the node's own custodian, or takes the address of a remote one; undefined when the platform gives no scores.
 * Errors: CONFIG_INVALID, CUSTODIAN_UNAVAILABLE.
 */
export async function findCustodian(config: Config, databaseUrl: string, log: Log, clock: Clock): Promise<FoundCustodian | undefined> {
  switch (config.custodian) {
    case 'none': return undefined;
    case 'remote': return { address: { url: config.custodianUrl ?? '', id: config.custodianId ?? '', statementKey: readKey(config.custodianKeyFile ?? '') }, stop: async () => {} };
    case 'own': {
      const child = await startCustodianChild({
        folder: config.custodianFolder ?? path.join(config.keysFolder, 'custodian'), databaseUrl, gatewayUrl: gatewayUrlOf(config), log,
        gatewayJwks: openKeyring(config.keysFolder, clock).gatewayJwks as { readonly keys: readonly PublicJwk[] },
      });
      return { address: { url: child.url, id: child.id, statementKey: child.statementKey }, stop: child.stop };
    }
    default: return config.custodian satisfies never;
  }
}

function readKey(file: string): PublicJwk {
  try {
    const key = JSON.parse(readFileSync(file, 'utf8')) as Partial<PublicJwk>;
    if (typeof key.kty === 'string' && typeof key.kid === 'string' && !('d' in key)) return key as PublicJwk;
  } catch {
    // the same fault as a file that holds something else
  }
  throw new VeilgateError('CONFIG_INVALID', 'VEILGATE_CUSTODIAN_KEY_FILE holds no public key: it is the JWK with `kid` that the custodian prints.', { settings: ['VEILGATE_CUSTODIAN_KEY_FILE'] });
}

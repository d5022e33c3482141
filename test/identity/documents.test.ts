import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fixedClock } from '../../src/clock.ts';
import { rotatingPurposes } from '../../src/identity/keyring.ts';
import { signedGrant, signedQuery } from '../../src/identity/signed-body.ts';
import { verifyCompact } from '../../src/identity/strict-jws.ts';
import { importVerificationKey } from '../../src/identity/verification-key.ts';

const read = (name: string) => readFileSync(path.join(import.meta.dirname, '../../docs/formats', name), 'utf8');
/** The fenced blocks of a document that carry a name: ```lang name=…. */
const examples = (text: string) => Object.fromEntries([...text.matchAll(/^```\w+ name=([a-z-]+)\n(.*?)\n```$/gms)].map(([, name, block]) => [name, block])) as Record<string, string>;

describe('identity: documents', () => {
  it('signed-query.md shows a query that verifies', async () => {
    const shown = examples(read('signed-query.md'));
    const key = importVerificationKey(JSON.parse(shown['key'] ?? ''));
    const jws = shown['jws'] ?? '';
    const { claims } = await verifyCompact({
      jws, typ: signedQuery.typ, keys: (kid) => (kid === key.kid ? key : undefined), issuer: 'bank-a', audience: 'https://gateway.example',
      maxLifetimeS: signedQuery.maxLifetimeS, requiredClaims: signedQuery.requiredClaims, nowMs: fixedClock('2026-03-01T08:00:00Z').nowMs(),
    });
    assert.deepEqual(claims, JSON.parse(shown['payload'] ?? ''));
    assert.equal(Buffer.from(jws.slice(0, jws.indexOf('.')), 'base64url').toString(), shown['header']);
    assert.equal(hash('sha256', jws, 'hex'), shown['request-digest']);
  });

  it('tokens.md names the lives of tokens and the files of keys as they are', () => {
    const text = read('tokens.md');
    assert.match(text, new RegExp(`\`query\\+jwt\` .*\\| ${signedQuery.maxLifetimeS} s \\|`));
    assert.match(text, new RegExp(`\`grant\\+jwt\` .*\\| ${signedGrant.maxLifetimeS.toLocaleString('en')} s \\|`));
    for (const purpose of [...rotatingPurposes, 'log-signing', 'pseudonym-secret']) assert(text.includes(`\`${purpose}.jwks.json\``), purpose);
  });
});

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { narrow } from '../../src/consent/narrow.ts';
import { checkConsentToken, checkSignedGrant, consentDetailSchema } from '../../src/consent/schemas.ts';
import { signedGrantLengthMax, signedGrantLifetimeMaxS } from '../../src/consent/signed-grant.ts';
import { parseTerms } from '../../src/consent/terms.ts';
import type { FieldRef } from '../../src/vocabulary.ts';
import { bank, caps, startMs } from './sample.ts';

const text = readFileSync(path.join(import.meta.dirname, '../../docs/formats/grant.md'), 'utf8');
const examples = new Map([...text.matchAll(/```json name=(\S+)\n([\s\S]*?)```/g)].map(([, name, json]) => [name, JSON.parse(json as string) as unknown]));
const example = (name: string) => examples.get(name) ?? assert.fail(`no example ${name}`);
const capsOfExample = () => ({ ...caps, fields: new Set(['tax.revenue_cents', 'registry.legal_representative'] as FieldRef[]) });

describe('docs/formats/grant.md', () => {
  it('shows a consent request that is taken, and a choice that narrows it', () => {
    const terms = parseTerms(example('consent-request'), bank, capsOfExample, startMs);
    const narrowed = narrow(terms, example('consent-choice'));
    assert.deepEqual([...narrowed.fields], [['tax.revenue_cents', 'desensitised']]);
    assert.equal(narrowed.usesMax, 3);
  });

  it('shows a signed grant and a consent token of their schemas', () => {
    const signed = checkSignedGrant(example('signed-grant'));
    parseTerms(signed.terms, bank, capsOfExample, startMs);
    checkConsentToken(example('consent-token'));
  });

  it('names the limits that hold', () => {
    const { properties, $defs } = consentDetailSchema;
    const number = (value: number) => value.toLocaleString('en');
    for (const limit of [properties.fields.maxItems, $defs.days.maximum, $defs.uses.maximum, $defs.frequency.properties.max.maximum, signedGrantLengthMax]) assert.ok(text.includes(number(limit)), number(limit));
    assert.equal(signedGrantLifetimeMaxS, 24 * 3600);
  });
});

import assert from 'node:assert/strict';
import { createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { isVeilgateError } from '../../src/errors.ts';
import type { FieldRef, PartyId, PurposeCode } from '../../src/vocabulary.ts';
import { createTokenKeys, type TokenScope } from '../../src/disclosure/tokens.ts';

const secret = (seed: number) => Uint8Array.from({ length: 32 }, (_, at) => (at * 7 + seed) % 256);
const scope = { institution: 'bank-a' as PartyId, purpose: 'pre_loan_review' as PurposeCode, field: 'owner.identity_number' as FieldRef } satisfies TokenScope;
const number = '11010519491231002X';
const keysAt = (currentVersion: number, versions: readonly number[] = [currentVersion]) =>
  createTokenKeys({ secrets: new Map(versions.map((version) => [version, secret(version)])), currentVersion });

describe('a token', () => {
  it('is the same for the same value in the same scope, in every process', () => {
    assert.equal(keysAt(1).forField(scope).token(number), keysAt(1).forField(scope).token(number));
    assert.match(keysAt(1).forField(scope).token(number), /^v1\.[A-Za-z0-9_-]{22}$/);
  });
  it('is unrelated in another institution, purpose, field and version', () => {
    const others = [
      keysAt(1).forField({ ...scope, institution: 'bank-b' as PartyId }),
      keysAt(1).forField({ ...scope, purpose: 'in_loan_approval' as PurposeCode }),
      keysAt(1).forField({ ...scope, field: 'owner.phone' as FieldRef }),
      keysAt(2).forField(scope), keysAt(1).forField(scope),
    ];
    assert.equal(new Set(others.map((tokens) => tokens.token(number).split('.')[1])).size, 5);
    const secretOnly = createTokenKeys({ secrets: new Map([[1, secret(9)], [2, secret(9)]]), currentVersion: 1 });
    assert.notEqual(secretOnly.forField(scope, 1).token(number).split('.')[1], secretOnly.forField(scope, 2).token(number).split('.')[1]);
  });
  it('keeps apart scopes whose parts run together the same', () => {
    const one = keysAt(1).forField({ ...scope, institution: 'a' as PartyId, purpose: 'b,c' as PurposeCode });
    const other = keysAt(1).forField({ ...scope, institution: 'a,b' as PartyId, purpose: 'c' as PurposeCode });
    assert.notEqual(one.token(number), other.token(number));
  });
  it('keeps apart the number 1, the text 1 and true', () => {
    const tokens = keysAt(1).forField(scope);
    assert.equal(new Set([tokens.token(1), tokens.token('1'), tokens.token(true), tokens.token('true')]).size, 4);
  });
  it('has one length for values of every length', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(keysAt(1).forField(scope).token(text).length, 25)));
  });
  it('is HMAC-SHA-256 under an HKDF-SHA-256 key, as docs/formats/treatments.md says', () => {
    const info = '["veilgate","token","bank-a","pre_loan_review","owner.identity_number",1]';
    const key = new Uint8Array(hkdfSync('sha256', secret(1), '', info, 32));
    const mac = createHmac('sha256', key).update(`string ${number}`).digest().subarray(0, 16).toString('base64url');
    assert.equal(keysAt(1).forField(scope).token(number), `v1.${mac}`);
  });
});

describe('rotation of token keys', () => {
  it('makes new tokens and still recognises those of kept versions', () => {
    const before = keysAt(1).forField(scope).token(number);
    const rotated = keysAt(2, [1, 2]);
    assert.match(rotated.forField(scope).token(number), /^v2\./);
    assert.equal(rotated.standsFor(before, number, scope), true);
    assert.equal(rotated.standsFor(before, '110105194912310021', scope), false);
    assert.equal(rotated.standsFor(before, number, { ...scope, institution: 'bank-b' as PartyId }), false);
    assert.equal(keysAt(2).standsFor(before, number, scope), false);
    for (const wrong of ['', 'v1.', 'v0.aaaaaaaaaaaaaaaaaaaaaa', `${before}=`, before.slice(1), 'v99999.aaaaaaaaaaaaaaaaaaaaaa']) {
      assert.equal(rotated.standsFor(wrong, number, scope), false);
    }
  });
  it('refuses to make tokens of a version that is not kept', () => {
    assert.throws(() => keysAt(2).forField(scope, 1), (error) => isVeilgateError(error, 'DISCLOSURE_KEY_MISSING'));
  });
  it('refuses secrets that are missing, short, constant or of no version', () => {
    const bad: [Map<number, Uint8Array>, number][] = [
      [new Map(), 1], [new Map([[1, secret(1)]]), 2], [new Map([[1, secret(1).subarray(1)]]), 1], [new Map([[1, new Uint8Array(32)]]), 1],
      [new Map([[0, secret(1)]]), 0], [new Map([[1.5, secret(1)]]), 1.5], [new Map([[10_000, secret(1)]]), 10_000],
    ];
    for (const [secrets, currentVersion] of bad) {
      assert.throws(() => createTokenKeys({ secrets, currentVersion }), (error) => isVeilgateError(error, 'CONFIG_INVALID'));
    }
  });
  it('gives the same tokens after its cache overflowed', () => {
    const small = createTokenKeys({ secrets: new Map([[1, secret(1)]]), currentVersion: 1, cachedScopes: 2 });
    const at = (index: number) => small.forField({ ...scope, field: `owner.f${index}` as FieldRef }).token(number);
    const first = [0, 1, 2, 3].map(at);
    assert.deepEqual([0, 1, 2, 3].map(at), first);
    assert.equal(new Set(first).size, 4);
  });
  it('keeps derived keys of so many scopes and no more', () => {
    const small = createTokenKeys({ secrets: new Map([[1, secret(1)]]), currentVersion: 1, cachedScopes: 2 });
    const at = (index: number) => small.forField({ ...scope, field: `owner.f${index}` as FieldRef });
    const first = at(0);
    at(1);
    assert.equal(at(0), first);
    at(2);
    assert.notEqual(at(0), first);
  });
});

describe('a format-preserving token', () => {
  const tokens = keysAt(1).forField(scope);
  it('has the length and alphabet of the value', () => {
    fc.assert(fc.property(fc.stringMatching(/^\d{6,30}$/), (text) => {
      const token = tokens.formatPreservingToken(text, 'digits');
      if (token.startsWith('v1.')) return; // one value in a million maps to itself
      assert.match(token, new RegExp(`^\\d{${text.length}}$`));
    }));
    assert.match(tokens.formatPreservingToken(number, 'alphanumeric'), /^[0-9A-Za-z]{18}$/);
  });
  it('is another for another value', () => {
    const made = new Set(Array.from({ length: 5000 }, (_, at) => tokens.formatPreservingToken(String(100_000 + at), 'digits')));
    assert.equal(made.size, 5000);
  });
  it('is a plain token for values it cannot hold', () => {
    for (const value of ['12345', '', '12345X', '１２３４５６', '王12345678', '1'.repeat(257), -1234567, 1.5, true]) {
      assert.equal(tokens.formatPreservingToken(value, 'digits'), tokens.token(value));
    }
    for (const value of ['abc', '12-34-56']) assert.equal(tokens.formatPreservingToken(value, 'alphanumeric'), tokens.token(value));
    assert.match(tokens.formatPreservingToken(1234567, 'digits'), /^\d{7}$/);
  });
  it('is unrelated in another institution and alphabet', () => {
    const other = keysAt(1).forField({ ...scope, institution: 'bank-b' as PartyId });
    assert.notEqual(tokens.formatPreservingToken('622202123456', 'digits'), other.formatPreservingToken('622202123456', 'digits'));
    assert.notEqual(tokens.formatPreservingToken('622202123456', 'digits'), tokens.formatPreservingToken('622202123456', 'alphanumeric'));
  });
  it('never is the value itself', () => {
    // under these keys FF1 maps this text, and no other of six digits below it, to itself; found by trying them all
    const keys = keysAt(3).forField(scope);
    assert.equal(keys.formatPreservingToken('000142', 'digits'), keys.token('000142'));
    assert.match(keys.formatPreservingToken('000143', 'digits'), /^\d{6}$/);
  });
});

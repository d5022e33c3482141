import { strict as assert } from 'node:assert';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { workReport, type WorkReport } from '../../src/audit/work-report.ts';
import { canonicalJson } from '../../src/canonical.ts';
import { isVeilgateError } from '../../src/errors.ts';
import { sha256Hex } from '../../src/sdk/bank.ts';
import { checkWorkReport } from '../../src/sdk/work-report-check.ts';

const issuer = 'https://gateway.example';
const signedAtS = 1_769_875_200;

describe('the signature of a work report', () => {
  const reportOf = (state: WorkReport['state']) => workReport({ platform: issuer, month: '2026-01', state, madeAt: '2026-02-01T02:00:00.000Z', counts: [], served: new Map(), ever: new Map() });
  const make = async (changes: Readonly<Record<string, unknown>> = {}, typ = 'work-report+jwt') => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA');
    const report = reportOf('closed');
    const digest = await sha256Hex(canonicalJson(report));
    const signature = await new SignJWT({ iss: issuer, iat: signedAtS, month: report.month, report: digest, ...changes }).setProtectedHeader({ alg: 'EdDSA', typ, kid: 'platform-1' }).sign(privateKey);
    return { view: { report, digest, signature }, keys: { keys: [{ ...(await exportJWK(publicKey)), kid: 'platform-1', alg: 'EdDSA' }] } };
  };
  const faultOf = (attempt: Promise<unknown>) => attempt.then(() => 'right', (error: unknown) => (isVeilgateError(error, 'REPORT_INVALID') ? error.detail?.['fault'] : error));

  it('is right for the report to the letter', async () => {
    const { view, keys } = await make();
    assert.equal(await checkWorkReport(view, keys, issuer), signedAtS);
  });

  it('is wrong for a changed report, another month, or another digest', async () => {
    const { view, keys } = await make();
    assert.equal(await faultOf(checkWorkReport({ ...view, report: { ...view.report, made_at: '2026-02-01T02:00:00.001Z' } }, keys, issuer)), 'changed');
    assert.equal(await faultOf(checkWorkReport({ ...view, digest: 'a'.repeat(64) }, keys, issuer)), 'changed');
    for (const changes of [{ month: '2026-02' }, { report: 'a'.repeat(64) }]) {
      const other = await make(changes);
      assert.equal(await faultOf(checkWorkReport(other.view, other.keys, issuer)), 'changed');
    }
  });

  it('is no signature of the platform when the key, the issuer or the type is another one', async () => {
    const [own, other, receipt] = [await make(), await make(), await make({}, 'receipt+jwt')];
    assert.equal(await faultOf(checkWorkReport(own.view, other.keys, issuer)), 'signature');
    assert.equal(await faultOf(checkWorkReport(own.view, own.keys, 'https://evil.example')), 'signature');
    assert.equal(await faultOf(checkWorkReport(receipt.view, receipt.keys, issuer)), 'signature');
  });

  it('is not there while the month goes on', async () => {
    const { view, keys } = await make();
    assert.equal(await faultOf(checkWorkReport({ report: reportOf('so_far'), digest: null, signature: null }, keys, issuer)), 'malformed');
    assert.equal(await faultOf(checkWorkReport({ ...view, signature: null }, keys, issuer)), 'malformed');
  });
});

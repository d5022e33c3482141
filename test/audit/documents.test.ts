import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fromBase64url, toBase64, toBase64url, toHex, utf8 } from '../../src/audit/bytes.ts';
import { checkpointSigner, checkpointText, cosigner, openCheckpoint } from '../../src/audit/checkpoint.ts';
import { commitmentOf, type AuditRecord, type QueryReleased } from '../../src/audit/entry.ts';
import { nodeSha256 } from '../../src/audit/node-sha256.ts';
import { formatVerifierKey, parseVerifierKey } from '../../src/audit/note.ts';
import { formatLogProof, verifyLogProof } from '../../src/audit/proof.ts';
import { issueReceipt, verifyReceipt, verifyReceiptInclusion } from '../../src/audit/receipt.ts';
import { encodeBundle, tilePath } from '../../src/audit/tile.ts';
import { consistencyProof, inclusionProof, leafHash, rootOver, verifyConsistency, type NodeReader } from '../../src/audit/tree.ts';
import { canonicalJson } from '../../src/canonical.ts';
import { fixedClock } from '../../src/clock.ts';
import { jwsSigner, printedKeys } from './support/keys.ts';

const formats = path.resolve(import.meta.dirname, '../../docs/formats');

/** The fenced blocks of a document that carry a name: ```lang name=…. */
function examples(file: string): ReadonlyMap<string, string> {
  const text = readFileSync(path.join(formats, file), 'utf8');
  return new Map([...text.matchAll(/^```\w+ name=([a-z0-9-]+)\n(.*?)\n```$/gms)].map(([, name, block]) => [name!, block!]));
}

const salts = ['00', '01', '02'].map((byte) => Uint8Array.from({ length: 32 }, () => Number.parseInt(byte, 16)));

describe('documents', () => {
  it('log.md works its example out as the code does', async () => {
    const shown = examples('log.md');
    const used = new Set<string>();
    const same = (name: string, value: string) => {
      used.add(name);
      assert.equal(shown.get(name), value.replace(/\n$/, ''), name);
    };
    const records = ['record-0', 'record-1', 'record-2'].map((name) => {
      used.add(name);
      return JSON.parse(shown.get(name)!) as AuditRecord;
    });
    const commitments = await Promise.all(records.map((record, at) => commitmentOf(record, salts[at]!)));
    const leaves = await Promise.all(commitments.map((commitment) => leafHash(commitment)));
    const root = await rootOver(leaves);

    same('canonical-0', canonicalJson(records[0]));
    same('commitments', commitments.map(toHex).join('\n'));
    same('leaves', leaves.map(toHex).join('\n'));
    same('root', toHex(root));
    same('bundle', toHex(encodeBundle(commitments)));
    same('paths', [
      tilePath({ level: 'entries', index: 0, width: 3 }), tilePath({ level: 0, index: 0, width: 3 }), tilePath({ level: 1, index: 1_234_067, width: 256 }),
    ].join('\n'));

    const log = await checkpointSigner('gateway.example/log', printedKeys.log);
    const witness = await cosigner('witness.example/one', printedKeys.witness);
    const text = checkpointText({ origin: log.origin, size: 3, root });
    const note = await log.sign({ size: 3, root });
    const cosigned = `${note}${await witness.cosign(text, 1_767_323_046)}\n`;
    same('keys', `${formatVerifierKey(log.key)}\n${formatVerifierKey(witness.key)}`);
    same('cosigned-text', `cosignature/v1\ntime 1767323046\n${text}`);
    same('checkpoint', cosigned);

    const read: NodeReader = async (level, index) => rootOver(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
    const inclusion = await inclusionProof(1, 3, read);
    const consistency = await consistencyProof(2, 3, read);
    same('proof', formatLogProof({ index: 1, hashes: inclusion, checkpoint: cosigned }));
    same('consistency', consistency.map(toBase64).join('\n'));
    same('add-checkpoint', ['old 2', ...consistency.map(toBase64), '', note].join('\n'));
    assert.deepEqual([...shown.keys()].filter((name) => !used.has(name)), [], 'every example is checked');

    const [logKey, witnessKey] = await Promise.all(shown.get('keys')!.split('\n').map(parseVerifierKey));
    const trust = { origin: 'gateway.example/log', logKeys: [logKey!], witnesses: [witnessKey!], witnessesMin: 1 };
    assert.equal((await openCheckpoint(`${shown.get('checkpoint')!}\n`, trust)).size, 3);
    await verifyLogProof(`${shown.get('proof')!}\n`, { index: 1, commitment: commitments[1]! }, trust, nodeSha256);
    await verifyConsistency({ from: 2, fromRoot: await rootOver(leaves.slice(0, 2)), to: 3, toRoot: root, proof: consistency });
  });

  it('receipt.md works its example out as the code does', async () => {
    const shown = examples('receipt.md');
    const log = examples('log.md');
    const record = JSON.parse(log.get('record-1')!) as QueryReleased;
    const answer = JSON.parse(shown.get('answer')!) as unknown;
    const request = shown.get('request')!;
    assert.equal(record.answer, toHex(await nodeSha256(utf8(canonicalJson(answer)))));
    assert.equal(record.request, toHex(await nodeSha256(utf8(request))));

    const { signer, keys } = await jwsSigner('platform-1', printedKeys.platform);
    const clock = fixedClock('2026-01-02T03:04:06.000Z');
    const entry = { index: 1, commitment: await commitmentOf(record, salts[1]!), salt: salts[1]! };
    const receipt = await issueReceipt({ signer, clock, issuer: 'https://gateway.example', origin: 'gateway.example/log', record, entry });
    assert.equal(shown.get('receipt'), receipt.match(/.{1,96}/g)!.join('\n'));
    const [header, payload] = receipt.split('.').slice(0, 2).map((part) => JSON.parse(new TextDecoder().decode(fromBase64url(part))) as unknown);
    assert.deepEqual(JSON.parse(shown.get('header')!), header);
    assert.deepEqual(JSON.parse(shown.get('payload')!), payload);
    assert.equal(toBase64url(salts[1]!), (payload as { log: { salt: string } }).log.salt);
    assert.deepEqual(JSON.parse(shown.get('keys')!), keys);
    assert.deepEqual([...shown.keys()].toSorted(), ['answer', 'header', 'keys', 'payload', 'receipt', 'request']);

    const verified = await verifyReceipt(shown.get('receipt')!.replaceAll('\n', ''), { keys, issuer: 'https://gateway.example', institution: record.institution, clock, record, request: record.request, answer: record.answer });
    const [logKey] = await Promise.all(log.get('keys')!.split('\n').map(parseVerifierKey));
    await verifyReceiptInclusion(verified, `${log.get('proof')!}\n`, { origin: 'gateway.example/log', logKeys: [logKey!] });
  });
});

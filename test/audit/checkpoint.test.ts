import assert from 'node:assert/strict';
import { toBase64, utf8, type Bytes } from '../../src/audit/bytes.ts';
import { checkpointSigner, checkpointText, cosigner, openCheckpoint, parseCheckpointText, type LogTrust } from '../../src/audit/checkpoint.ts';
import { signatureLine, signingKey, verifierKey } from '../../src/audit/note.ts';
import { newKey } from './support/keys.ts';
import { naiveRoot, origin } from './support/log.ts';

const tree = { size: 3, root: naiveRoot([utf8('a'), utf8('b'), utf8('c')]) };
const rootText = toBase64(tree.root);

async function setUp() {
  const log = await checkpointSigner(origin, newKey());
  const [one, two] = await Promise.all([cosigner('witness.example/one', newKey()), cosigner('witness.example/two', newKey())]);
  const note = await log.sign(tree);
  const text = checkpointText({ origin, ...tree });
  const trust: LogTrust = { origin, logKeys: [log.key], witnesses: [one.key, two.key] };
  return { log, one, two, note, text, trust };
}

const invalid = (fault: string) => ({ code: 'AUDIT_CHECKPOINT_INVALID', detail: { fault } });

describe('checkpoint', () => {
  it('opens what the log signed', async () => {
    const { note, trust } = await setUp();
    const opened = await openCheckpoint(note, trust);
    assert.deepEqual({ origin: opened.origin, size: opened.size, root: opened.root, cosignatures: opened.cosignatures }, { origin, ...tree, cosignatures: [] });
    assert.equal(opened.note, note);
  });

  it('reads the example of the specification', () => {
    const { origin: name, size, root } = parseCheckpointText('example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n');
    assert.deepEqual([name, size, toBase64(root)], ['example.com/behind-the-sofa', 20_852_163, 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=']);
  });

  it('takes extension lines and refuses every other deviation', () => {
    assert.equal(parseCheckpointText(`${origin}\n0\n${rootText}\nmore\nand more\n`).size, 0);
    for (const text of [
      '', `${origin}\n3\n`, `${origin}\n3\n${rootText}`, `\n3\n${rootText}\n`, `${origin}\n03\n${rootText}\n`, `${origin}\n+3\n${rootText}\n`, `${origin}\n-3\n${rootText}\n`,
      `${origin}\n3.0\n${rootText}\n`, `${origin}\n 3\n${rootText}\n`, `${origin}\n9007199254740992\n${rootText}\n`, `${origin}\n\n${rootText}\n`,
      `${origin}\n3\n${rootText.slice(0, -4)}\n`, `${origin}\n3\n${toBase64(new Uint8Array(31))}\n`, `${origin}\n3\n${rootText}\n\nmore\n`,
    ]) assert.throws(() => parseCheckpointText(text), invalid('malformed'), JSON.stringify(text));
  });

  it('refuses another log, another key and an altered tree', async () => {
    const { note, trust, log } = await setUp();
    const stranger = await checkpointSigner(origin, newKey());
    await assert.rejects(openCheckpoint(note, { ...trust, origin: 'other.example/log' }), invalid('origin'));
    await assert.rejects(openCheckpoint(note, { ...trust, logKeys: [stranger.key] }), invalid('signature'));
    await assert.rejects(openCheckpoint(note.replace('\n3\n', '\n4\n'), trust), invalid('signature'));
    const asAnother = await verifierKey('other.example', 1, log.key.publicKey);
    await assert.rejects(openCheckpoint(note, { ...trust, logKeys: [asAnother] }), invalid('signature'));
  });

  it('refuses a note with a wrong signature of a trusted key next to a right one', async () => {
    const { note, trust, log, one } = await setUp();
    await assert.rejects(openCheckpoint(`${note}${signatureLine(log.key, new Uint8Array(64))}\n`, trust), invalid('signature'));
    await assert.rejects(openCheckpoint(`${note}${signatureLine(one.key, new Uint8Array(72).fill(1))}\n`, trust), invalid('signature'));
    await assert.rejects(openCheckpoint(`${note}${signatureLine(one.key, new Uint8Array(64))}\n`, trust), invalid('signature'));
  });

  it('passes over signatures of strangers, even under a known name', async () => {
    const { note, text, trust } = await setUp();
    const impostor = await cosigner('witness.example/one', newKey());
    const opened = await openCheckpoint(`${note}${await impostor.cosign(text, 5)}\n`, trust);
    assert.deepEqual(opened.cosignatures, []);
  });

  it('accepts a log that is changing its key', async () => {
    const { note, trust } = await setUp();
    const next = await checkpointSigner(origin, newKey());
    const both = { ...trust, logKeys: [next.key, ...trust.logKeys] };
    assert.equal((await openCheckpoint(note, both)).size, 3);
    await assert.rejects(openCheckpoint(`${note}${signatureLine(next.key, new Uint8Array(64))}\n`, both), invalid('signature'));
  });

  it('counts each witness once', async () => {
    const { note, text, trust, one, two } = await setUp();
    const twice = `${note}${await one.cosign(text, 1_700_000_000)}\n${await one.cosign(text, 1_700_000_001)}\n`;
    assert.deepEqual((await openCheckpoint(twice, { ...trust, witnessesMin: 1 })).cosignatures, [{ witness: 'witness.example/one', atS: 1_700_000_000 }]);
    await assert.rejects(openCheckpoint(twice, { ...trust, witnessesMin: 2 }), invalid('witnesses'));
    assert.equal((await openCheckpoint(`${twice}${await two.cosign(text, 7)}\n`, { ...trust, witnessesMin: 2 })).cosignatures.length, 2);
  });

  it('refuses a cosignature without a time, with another time and over another tree', async () => {
    const { note, text, trust, one } = await setUp();
    const key = newKey();
    const { key: witness, sign } = await signingKey('witness.example/raw', 4, key);
    const withTrust = { ...trust, witnesses: [witness, one.key] };
    const line = async (timeS: number, signedText: string) => {
      const time = new Uint8Array(8);
      new DataView(time.buffer).setBigUint64(0, BigInt(timeS));
      const signature: Bytes = await sign(utf8(signedText));
      return `${note}${signatureLine(witness, new Uint8Array([...time, ...signature]))}\n`;
    };
    assert.equal((await openCheckpoint(await line(9, `cosignature/v1\ntime 9\n${text}`), withTrust)).cosignatures.length, 1);
    await assert.rejects(openCheckpoint(await line(0, `cosignature/v1\ntime 0\n${text}`), withTrust), invalid('signature'));
    await assert.rejects(openCheckpoint(await line(9, `cosignature/v1\ntime 8\n${text}`), withTrust), invalid('signature'));
    await assert.rejects(openCheckpoint(await line(9, text), withTrust), invalid('signature'));
    await assert.rejects(openCheckpoint(await line(9, `cosignature/v1\ntime 9\n${text.replace('3', '4')}`), withTrust), invalid('signature'));
  });

  it('refuses a trust that contradicts itself', async () => {
    const { note, trust, log, one } = await setUp();
    const twin = await verifierKey('witness.example/twin', 4, one.key.publicKey);
    const logAsWitness = await verifierKey(origin, 4, log.key.publicKey);
    for (const wrong of [
      { ...trust, logKeys: [] }, { ...trust, logKeys: [one.key] }, { ...trust, witnesses: [log.key] }, { ...trust, witnessesMin: 3 },
      { ...trust, witnesses: [one.key, twin] }, { ...trust, witnesses: [logAsWitness] }, { ...trust, logKeys: [log.key, log.key] },
    ]) await assert.rejects(openCheckpoint(note, wrong), { code: 'CONFIG_INVALID' });
  });
});

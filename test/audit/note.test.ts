import assert from 'node:assert/strict';
import { fromBase64, fromBase64url, toBase64, toBase64url, utf8 } from '../../src/audit/bytes.ts';
import { formatVerifierKey, parseNote, parseVerifierKey, signatureLine, signaturesBy, signingKey, verifierKey, verifyEd25519 } from '../../src/audit/note.ts';
import { newKey } from './support/keys.ts';

/** The example of the signed-note specification. */
const publishedKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const publishedNote = 'This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

describe('note', () => {
  it('verifies the published example', async () => {
    const key = await parseVerifierKey(publishedKey);
    assert.equal(formatVerifierKey(key), publishedKey);
    const note = parseNote(publishedNote);
    assert.equal(note.text, 'This is an example message.\n');
    const [signature] = signaturesBy(note, key);
    assert.equal(await verifyEd25519(key, signature!.signature, utf8(note.text)), true);
    assert.equal(await verifyEd25519(key, signature!.signature, utf8('This is another message.\n')), false);
    assert.equal(signatureLine(key, signature!.signature), signature!.line);
  });

  it('splits at the last empty line, so that a text may hold some', () => {
    const line = publishedNote.split('\n')[2]!;
    const note = parseNote(`Ognuno\n\nsolo\n\n${line}\n${line}\n`);
    assert.equal(note.text, 'Ognuno\n\nsolo\n');
    assert.equal(note.signatures.length, 2);
  });

  it('refuses everything that is no signed note', () => {
    const [text, , line] = publishedNote.split('\n') as [string, string, string];
    for (const [why, note] of Object.entries({
      'empty': '', 'no signature': `${text}\n\n`, 'no empty line': `${text}\n${line}\n`, 'no last newline': publishedNote.slice(0, -1),
      'carriage return': publishedNote.replace('\n', '\r\n'), 'tab': publishedNote.replace('an example', 'an\texample'), 'zero': `\0${publishedNote}`,
      'hyphen for dash': publishedNote.replace('\u2014', '-'), 'two blanks': publishedNote.replace('foo Uw', 'foo  Uw'), 'blank at the end': publishedNote.replace('QM=\n', 'QM= \n'),
      'plus in a name': publishedNote.replace('example.com/foo ', 'example.com+foo '), 'no-break blank in a name': publishedNote.replace('.com/foo ', '.com\u00a0/foo '),
      'url-safe base64': publishedNote.replace('eyaQM=', 'ey_QM='), 'altered last bits': publishedNote.replace('aQM=', 'aQN='), 'no padding': publishedNote.replace('aQM=', 'aQM'),
      'only a key id': `${text}\n\n\u2014 example.com/foo Uw2QOg==\n`, 'lone surrogate': publishedNote.replace('message', 'mess\ud800age'),
      'too many signatures': `${text}\n\n${`${line}\n`.repeat(65)}`, 'too long': `${'x'.repeat(131_072)}\n\n${line}\n`,
    })) assert.throws(() => parseNote(note), { code: 'AUDIT_CHECKPOINT_INVALID', detail: { fault: 'malformed' } }, why);
    assert.equal(parseNote(`${text}\n\n${`${line}\n`.repeat(64)}`).signatures.length, 64);
  });

  it('refuses keys that do not fit their text', async () => {
    for (const text of [
      '', 'example.com/foo', publishedKey.replace('530d903a', '530d903b'), publishedKey.replace('530d903a', '530D903A'), publishedKey.replace('example', 'exemple'),
      publishedKey.replace('+Aek', '+Auk'), publishedKey.slice(0, -4), `${publishedKey} `,
    ]) await assert.rejects(parseVerifierKey(text), { code: 'CONFIG_INVALID' }, text);
    await assert.rejects(verifierKey('a name', 1, new Uint8Array(32)), { code: 'CONFIG_INVALID' });
    await assert.rejects(verifierKey('x'.repeat(256), 1, new Uint8Array(32)), { code: 'CONFIG_INVALID' });
  });

  it('refuses a signing key whose halves do not belong together', async () => {
    const [one, other] = [newKey(), newKey()];
    await signingKey('log.example', 1, one);
    await assert.rejects(signingKey('log.example', 1, { ...one, x: other.x }), { code: 'CONFIG_INVALID' });
    await assert.rejects(signingKey('log.example', 1, { ...one, d: 'AAAA' }), { code: 'CONFIG_INVALID' });
  });

  it('gives the same key different ids under different names and for different uses', async () => {
    const { x } = newKey();
    const publicKey = fromBase64url(x)!;
    const ids = await Promise.all([verifierKey('a.example', 1, publicKey), verifierKey('a.example', 4, publicKey), verifierKey('b.example', 1, publicKey)]);
    assert.equal(new Set(ids.map(({ id }) => id)).size, 3);
  });

  it('reads base64 in one spelling only', () => {
    const bytes = Uint8Array.of(0xfb, 0xff, 0xfe, 0x01);
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes);
    for (const text of ['AB==', 'A', 'AA', 'AA=', 'AAA', '====', 'AA==\n', ' AA==', 'A-==']) assert.equal(fromBase64(text), undefined, text);
    for (const text of ['AB', 'A', 'AA==', 'A+', 'AA ']) assert.equal(fromBase64url(text), undefined, text);
  });
});

import { strict as assert } from 'node:assert';
import { createColumnEncryptor } from '../../src/he/encrypt.ts';
import { createEvaluator } from '../../src/he/evaluate.ts';
import type { KeyPair } from '../../src/he/keygen.ts';
import { parameterSetOf } from '../../src/he/parameters.ts';
import { bytesOf, type He, type HeContext } from '../../src/he/runtime.ts';
import { checkCiphertextBytes, checkPublicKeyBytes, checkSecretKeyBytes } from '../../src/he/wire.ts';
import { firstOf, set, testHe } from '../support/he.ts';

describe('bytes of ciphertexts and keys', () => {
  let he: He;
  let keys: KeyPair;
  let context: HeContext;
  let column: Uint8Array;
  before(async () => {
    ({ he, keys } = await testHe());
    context = he.context(set);
    const encryptor = createColumnEncryptor(he, set, keys.publicKey);
    column = encryptor.encrypt(Int32Array.of(1, -2, 3));
    encryptor.close();
  });

  const refusesCiphertext = (bytes: Uint8Array, form: 'column' | 'result' = 'column') =>
    assert.throws(() => checkCiphertextBytes(set, bytes, form), { name: 'VeilgateError', code: 'HE_CIPHERTEXT_REFUSED' });
  const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };

  it('takes what a domain encrypts, what an evaluator makes and what a custodian generates', () => {
    const evaluator = createEvaluator(he, set, keys.publicKey, { cacheBytesMax: 1e6 });
    const { ciphertext } = firstOf([evaluator.remask(column)]);
    evaluator.close();
    checkCiphertextBytes(set, column);
    checkCiphertextBytes(set, ciphertext, 'result');
    checkPublicKeyBytes(set, keys.publicKey);
    checkSecretKeyBytes(set, keys.secretKey);
    refusesCiphertext(ciphertext, 'column');
    refusesCiphertext(column, 'result');
  });

  it('every byte before the coefficients is fixed: a change of any bit of it is refused', () => {
    for (let at = 0; at < 113; at++) for (let bit = 0; bit < 8; bit++) refusesCiphertext(changed(column, at, (column[at] ?? 0) ^ (1 << bit)));
  });

  it('refuses what is too short, too long or empty', () => {
    for (const length of [0, 1, 16, 112, 113, column.length - 1]) refusesCiphertext(column.slice(0, length));
    const longer = new Uint8Array(column.length + 1);
    longer.set(column);
    refusesCiphertext(longer);
  });

  it('refuses coefficients that are not below their prime', () => {
    for (const [polynomial, prime] of [0, 1, 0, 1].map((each, at) => [at, set.coeffModulus[each] ?? 0n] as const)) {
      const bytes = column.slice();
      const words = new DataView(bytes.buffer);
      const at = 113 + 8 * (polynomial * set.polyModulusDegree + 17);
      words.setBigUint64(at, prime - 1n, true);
      checkCiphertextBytes(set, bytes);
      for (const wrong of [prime, prime + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
        words.setBigUint64(at, wrong, true);
        refusesCiphertext(bytes);
      }
    }
  });

  it('refuses a transparent ciphertext: its second component is zero', () => {
    refusesCiphertext(column.slice().fill(0, 113 + (column.length - 113) / 2));
  });

  it('refuses compressed and seeded ciphertexts', () => {
    const { seal } = context;
    using ciphertext = new seal.Ciphertext();
    ciphertext.loadFromArray(context.context, column);
    for (const mode of [seal.ComprModeType.zlib, seal.ComprModeType.zstd]) refusesCiphertext((ciphertext.saveToArray(mode) as Uint8Array).slice());
    using publicKey = new seal.PublicKey();
    publicKey.loadFromArray(context.context, keys.publicKey);
    using secretKey = new seal.SecretKey();
    secretKey.loadFromArray(context.context, keys.secretKey);
    using encryptor = new seal.Encryptor(context.context, publicKey, secretKey);
    using plaintext = new seal.Plaintext(1);
    using seeded = encryptor.encryptSymmetricSerializable(plaintext);
    refusesCiphertext(bytesOf(context, seeded));
  });

  it('refuses ciphertexts with three components, in NTT form or with a prime less', () => {
    const { seal } = context;
    using evaluator = new seal.Evaluator(context.context);
    using ciphertext = new seal.Ciphertext();
    using other = new seal.Ciphertext();
    ciphertext.loadFromArray(context.context, column);
    evaluator.square(ciphertext, other);
    refusesCiphertext(bytesOf(context, other));
    evaluator.cipherTransformToNtt(ciphertext, other);
    refusesCiphertext(bytesOf(context, other));
    evaluator.cipherModSwitchToNext(ciphertext, other);
    refusesCiphertext(bytesOf(context, other));
  });

  it('refuses relinearisation and Galois keys, and keys where a ciphertext belongs', () => {
    const { seal } = context;
    using generator = new seal.KeyGenerator(context.context);
    using relinearisation = generator.createRelinKeys();
    using galois = generator.createGaloisKeysWithSteps(Int32Array.of(1));
    for (const bytes of [bytesOf(context, relinearisation), bytesOf(context, galois), keys.publicKey, keys.secretKey]) refusesCiphertext(bytes);
  });

  it('refuses a ciphertext of another parameter set, of the same length too', () => {
    const { seal } = context;
    using parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
    using primes = new seal.VectorModulus();
    for (const prime of set.coeffModulus) {
      using modulus = new seal.Modulus(prime);
      primes.push_back(modulus);
    }
    using plain = new seal.Modulus(786_433n);
    parameters.setPolyModulusDegree(set.polyModulusDegree);
    parameters.setCoeffModulus(primes);
    parameters.setPlainModulus(plain);
    using foreign = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
    using generator = new seal.KeyGenerator(foreign);
    using publicKey = generator.createPublicKey();
    using encryptor = new seal.Encryptor(foreign, publicKey);
    using ciphertext = new seal.Ciphertext();
    encryptor.encryptZero(ciphertext);
    const bytes = bytesOf(context, ciphertext);
    assert.equal(bytes.length, set.columnBytes);
    refusesCiphertext(bytes);
  });

  it('refuses a public key of another form, or one that would hide nothing', () => {
    const refuses = (bytes: Uint8Array) => assert.throws(() => checkPublicKeyBytes(set, bytes), { code: 'HE_KEY_REFUSED' });
    const half = 113 + (keys.publicKey.length - 113) / 2;
    refuses(keys.publicKey.slice(0, -1));
    refuses(changed(keys.publicKey, 48, 0)); // not in NTT form
    refuses(keys.publicKey.slice().fill(0, half));
    refuses(keys.publicKey.slice().fill(0, 113, half));
    refuses(changed(keys.publicKey, 113 + 7, 1));
    refuses(column);
    assert.throws(() => createColumnEncryptor(he, set, keys.publicKey.slice().fill(0, half)), { code: 'HE_KEY_REFUSED' });
  });

  it('refuses a secret key of another form', () => {
    const refuses = (bytes: Uint8Array) => assert.throws(() => checkSecretKeyBytes(set, bytes), { code: 'HE_KEY_REFUSED' });
    refuses(keys.secretKey.slice(0, -1));
    refuses(changed(keys.secretKey, 20, 0xff));
    refuses(changed(keys.secretKey, 88 + 7, 1));
    refuses(keys.secretKey.slice().fill(0, 88));
    refuses(keys.publicKey);
  });

  it('a set of another name is nobody\'s', () => {
    assert.equal(parameterSetOf('veilgate-score-1'), set);
    assert.equal(parameterSetOf('veilgate-score-0'), undefined);
    assert.equal(parameterSetOf('constructor'), undefined);
  });
});

import { strict as assert } from 'node:assert';
import { readPolicyDocument } from '../../src/policy/document.ts';

const read = (file: string, text: string) => readPolicyDocument(file, Buffer.from(text));
const text = 'rules: [{ id: one, fields: [a, b] }]';

describe('a policy document that is read again', () => {
  it('is not parsed again, and nobody can change it for the others', () => {
    const { document } = read('rules/a.yaml', text);
    assert.equal(read('rules/a.yaml', text).document, document);
    const { rules } = document?.value as { readonly rules: readonly { readonly fields: string[] }[] };
    assert.throws(() => rules[0]?.fields.push('c'), TypeError);
  });

  it('goes by its whole text and by its name, which its problems say', () => {
    assert.deepEqual(read('rules/a.yaml', text.replace('one', 'two')).document?.value, { rules: [{ id: 'two', fields: ['a', 'b'] }] });
    assert.equal(read('rules/b.yaml', text).document?.problemAt('/rules', 'wrong').file, 'rules/b.yaml');
  });

  it('is refused each time when it is broken', () => {
    for (const _time of [1, 2]) assert.equal(read('rules/a.yaml', '{ a: 1, a: 2 }').document, undefined);
  });

  it('is forgotten when so much was read since that memory counts', () => {
    const { document } = read('rules/a.yaml', text);
    for (const n of [1, 2]) read('rules/long.yaml', `a: '${String(n).repeat(300_000)}'`);
    assert.notEqual(read('rules/a.yaml', text).document, document);
  });
});

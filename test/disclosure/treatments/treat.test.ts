import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Disclosure, FieldRef, PartyId, PurposeCode, Treatment, Value } from '../../../src/vocabulary.ts';
import { createTokenKeys } from '../../../src/disclosure/tokens.ts';
import { absent, suppressed, treatmentFunction } from '../../../src/disclosure/treatments/treat.ts';

const keys = createTokenKeys({ secrets: new Map([[1, Uint8Array.from({ length: 32 }, (_, at) => at)]]), currentVersion: 1 });
const tokens = () => keys.forField({ institution: 'bank' as PartyId, purpose: 'pre_loan_review' as PurposeCode, field: 'owner.name' as FieldRef });
const show = (treatment: Treatment, value: Value): Disclosure => treatmentFunction(treatment)(value, tokens);

/** Treatments of text, each with the most characters it may show of one. */
const textTreatments: readonly (readonly [Treatment, shownMax: number])[] = [
  ...[0, 1, 2, 3, 8].flatMap((first) => [0, 1, 2, 4, 8].map((last) => [{ method: 'keep_ends', first, last }, first + last] as const)),
  ...[[0, 1], [0, 5], [2, 7], [3, 4], [8, 2000], [6, 3]].map(([from = 0, to = 0]) => [{ method: 'mask_range', from, to }, Number.POSITIVE_INFINITY] as const),
  [{ method: 'class_preserving' }, 0], [{ method: 'email' }, 2], [{ method: 'phone' }, 5], [{ method: 'identity_number' }, 6],
  [{ method: 'bank_account' }, 4],
];
const personal = fc.oneof(
  fc.stringMatching(/^1[3-9]\d{9}$/), fc.stringMatching(/^0\d{2,3}-?\d{7,8}$/), fc.stringMatching(/^\d{17}[\dX]$/), fc.stringMatching(/^\d{15}$/),
  fc.stringMatching(/^\d{8,32}$/), fc.emailAddress(), fc.stringMatching(/^[一-龥]{0,12}$/),
  fc.constantFrom('****', '*', '**', '********', '#', '@@', '※', '****@****', '王**'),
);
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 24 }), fc.string({ unit: 'grapheme-composite', maxLength: 24 }), fc.string({ unit: 'grapheme', maxLength: 24 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 16 }).map((units) => String.fromCharCode(...units)), // lone surrogates
  fc.array(fc.constantFrom('e\u0301', '👨‍👩‍👧‍👦', '🇨🇳', '𠮷', 'か\u3099', 'a', '王', '1', '\r\n'), { maxLength: 16 }).map((parts) => parts.join('')),
  personal,
);

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
const graphemes = (text: string) => Array.from(segmenter.segment(text), (part) => part.segment);

/** How many characters of the value a reader can find again in what is shown, in order: longest common subsequence without the marks. */
function recognisable(value: string, shown: string): number {
  const left = graphemes(value).filter((character) => !/^[*#※]$/.test(character));
  const right = graphemes(shown);
  let row = new Array<number>(right.length + 1).fill(0);
  for (const character of left) {
    const next = [0];
    right.forEach((other, at) => next.push(character === other ? (row[at] as number) + 1 : Math.max(row[at + 1] as number, next[at] as number)));
    row = next;
  }
  return row.at(-1) as number;
}

describe('a treatment of text', () => {
  for (const [treatment, shownMax] of textTreatments) {
    it(`never gives a value back, nor more than its ${shownMax} characters or half of them: ${JSON.stringify(treatment)}`, () => {
      fc.assert(fc.property(texts, (value) => {
        const shown = show(treatment, value);
        assert.ok(shown.kind === 'masked');
        assert.notEqual(shown.value, value);
        if (shown.value === null) return;
        assert.ok(typeof shown.value === 'string');
        const marks = treatment.method === 'class_preserving' ? shown.value.replaceAll('@', '') : shown.value;
        const found = recognisable(value, marks);
        assert.ok(found <= shownMax && found * 2 <= graphemes(value).length, `${found} of ${graphemes(value).length}`);
      }), { numRuns: 150 });
    });
  }

  it('shows of a Chinese name its family name at most, and never all of it', () => {
    fc.assert(fc.property(fc.oneof(texts, fc.stringMatching(/^(欧阳|王|司马)[一-龥]{0,4}$/)), (value) => {
      const shown = show({ method: 'chinese_name' }, value);
      assert.ok(shown.kind === 'masked');
      assert.notEqual(shown.value, value);
      if (typeof shown.value !== 'string') return;
      const found = recognisable(value, shown.value);
      assert.ok(found <= 2 && (found === 0 || found < [...value].length));
    }));
  });

  it('never gives a value back as a token', () => {
    fc.assert(fc.property(texts, (value) => {
      for (const treatment of [{ method: 'token' }, { method: 'format_preserving_token', alphabet: 'digits' }, { method: 'format_preserving_token', alphabet: 'alphanumeric' }] as const) {
        const shown = show(treatment, value);
        assert.ok(shown.kind === 'token');
        assert.notEqual(shown.value, value);
      }
    }));
  });

  it('says the same of every value where it is to say nothing', () => {
    fc.assert(fc.property(fc.oneof(texts, fc.integer(), fc.boolean()), (value) => {
      assert.deepEqual(show({ method: 'suppress' }, value), { kind: 'masked', value: null });
      assert.deepEqual(show({ method: 'fixed', text: 'hidden' }, value), { kind: 'masked', value: 'hidden' });
    }));
  });
});

const everyTreatment: readonly Treatment[] = [
  ...textTreatments.map(([treatment]) => treatment), { method: 'fixed', text: 'hidden' }, { method: 'chinese_name' }, { method: 'address', level: 'city' },
  { method: 'token' }, { method: 'format_preserving_token', alphabet: 'digits' }, { method: 'band', edges: [0] },
  { method: 'generalise', groups: { A: 'a' }, otherwise: 'other' }, { method: 'round', to: 10 }, { method: 'year' }, { method: 'clamp', bottom: 0, top: 10 },
];

describe('every treatment', () => {
  it('says absent where there is no value, except suppress, which does not even say that', () => {
    for (const treatment of everyTreatment) assert.deepEqual(show(treatment, null), absent);
    assert.deepEqual(show({ method: 'suppress' }, null), suppressed);
  });

  it('suppresses values of a type it is not made for', () => {
    for (const [treatment] of [...textTreatments, [{ method: 'chinese_name' }], [{ method: 'address', level: 'city' }], [{ method: 'year' }]] as const) {
      for (const value of [13812345678, 0, true, false]) assert.deepEqual(show(treatment as Treatment, value), suppressed);
    }
    for (const treatment of [{ method: 'band', edges: [0] }, { method: 'round', to: 10 }, { method: 'clamp', bottom: 0, top: 10 }] as const) {
      for (const value of ['secret', true, '2020-01-01']) assert.deepEqual(show(treatment, value), suppressed);
    }
  });

  it('suppresses what is no value at all', () => {
    for (const treatment of everyTreatment) {
      for (const wrong of [undefined, {}, ['secret'], 10n, Symbol('secret'), () => 'secret']) {
        assert.deepEqual(show(treatment, wrong as unknown as Value), suppressed); // what a broken source may deliver
      }
    }
  });

  it('is hidden altogether when its method is not known', () => {
    assert.deepEqual(show({ method: 'of_a_newer_policy' } as unknown as Treatment, 'secret'), suppressed); // a policy of another version
  });
});

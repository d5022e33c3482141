import assert from 'node:assert/strict';
import fc from 'fast-check';
import { classPreserving, fill, keepEnds, maskRange } from '../../../src/disclosure/treatments/text.ts';
import { partlyShownLengthMax } from '../../../src/disclosure/characters.ts';

describe('keep_ends', () => {
  it('shows the declared ends and a fill that hides the length', () => {
    assert.equal(keepEnds('abcdefgh', 1, 2), 'a****gh');
    assert.equal(keepEnds('abcdefghijklmnopqrstuvwxgh', 1, 2), 'a****gh');
    assert.equal(keepEnds('江苏晶源电子科技有限公司', 2, 2), '江苏****公司');
  });
  it('shows nothing of a text whose ends would be half of it', () => {
    assert.equal(keepEnds('abcdef', 1, 2), fill);
    assert.equal(keepEnds('abcdefg', 1, 2), 'a****fg');
    assert.equal(keepEnds('ab', 1, 1), fill);
    assert.equal(keepEnds('', 0, 0), fill);
  });
  it('tells nothing of length and content between the ends', () => {
    fc.assert(fc.property(fc.string({ minLength: 3 }), fc.string({ minLength: 3 }), (one, other) => {
      assert.equal(keepEnds(`王${one}李`, 1, 1).length, keepEnds(`王${other}李`, 1, 1).length);
    }));
    assert.equal(keepEnds(`ab${'x'.repeat(10)}yz`, 2, 2), keepEnds(`ab${'q'.repeat(90)}yz`, 2, 2));
  });
  it('counts what a reader sees as one character as one', () => {
    // family emoji of seven code points, e with combining acute, a surrogate pair
    assert.equal(keepEnds('👨‍👩‍👧‍👦bcde\u0301f', 1, 1), '👨‍👩‍👧‍👦****f');
    assert.equal(keepEnds('e\u0301bcdefghe\u0301', 1, 1), 'e\u0301****e\u0301');
    assert.equal(keepEnds('𠮷bcdefg𠮷', 1, 1), '𠮷****𠮷');
    assert.equal(keepEnds('👨‍👩‍👧‍👦b', 0, 1), fill);
  });
  it('shows nothing for counts that are none, or of texts beyond the maximum', () => {
    for (const count of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.equal(keepEnds('abcdefghijkl', count, 1), fill);
      assert.equal(keepEnds('abcdefghijkl', 1, count), fill);
    }
    assert.equal(keepEnds('a'.repeat(partlyShownLengthMax + 1), 1, 1), fill);
    assert.equal(keepEnds('a'.repeat(partlyShownLengthMax), 1, 1), 'a****a');
  });
});

describe('mask_range', () => {
  it('hides from the first position up to and without the second', () => {
    assert.equal(maskRange('abcdefghij', 3, 9), 'abc****j');
    assert.equal(maskRange('abcdefghij', 0, 8), '****ij');
    assert.equal(maskRange('abcdefghij', 4, 2000), 'abcd****');
  });
  it('hides everything where the rest would be half of the text or more', () => {
    assert.equal(maskRange('abcdefghij', 3, 8), fill);
    assert.equal(maskRange('abc', 3, 8), fill);
    assert.equal(maskRange('abcdefghij', 5, 5), fill);
    assert.equal(maskRange('abcdefghij', 8, 3), fill);
    assert.equal(maskRange('abcdefghij', -1, 9), fill);
    assert.equal(maskRange('a'.repeat(partlyShownLengthMax + 1), 1, partlyShownLengthMax), fill);
  });
});

describe('class_preserving', () => {
  it('shows the class of each character and no character', () => {
    assert.equal(classPreserving('浙A·88x-9'), '※@*##@*#');
    assert.equal(classPreserving('e\u0301٣'), '@#');
    assert.equal(classPreserving(''), fill);
    assert.equal(classPreserving('9'.repeat(partlyShownLengthMax + 1)), fill);
  });
});

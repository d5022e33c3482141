import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isVeilgateError } from '../../src/errors.ts';
import { compilePolicyPack } from '../../src/policy/load.ts';
import { problemLine, type Problem } from '../../src/policy/problem.ts';
import { fileOf, purposesText, smallCatalogue } from './pack.ts';

const rules = `dataset: tax
rules:
  - id: tax-revenue
    description: { en: Revenue, zh: 收入 }
    fields: [revenue_cents]
    purposes: [review]
    institution_classes: [bank]
    consent: [original]
    effect: { use: read, disposition: clear }
    when:
      all:
        - { fact: institution.security_level, op: at_least, value: 3 }
  - id: tax-band
    description: { en: Amounts as bands, zh: 区间 }
    fields: ['*_cents']
    purposes: [review]
    institution_classes: [bank]
    consent: [desensitised]
    effect: { use: read, disposition: band, treatment: { method: band, edges: [100, 1000] } }
`;

const purposes = `institution_classes:
  bank: { title: { en: Bank, zh: 银行 } }
facts:
  institution.security_level: { type: integer, min: 1, max: 5, title: { en: level, zh: 等级 } }
purposes:
  review:
    title: { en: Review, zh: 审查 }
    description: { en: Review, zh: 审查 }
    uses: [read, verify]
    caps: { validity_days_max: 9, uses_max: 9, frequency_max: { max: 1, per: day }, data_life_days_max: 9, data_period_years_max: 1, kinds: [one_time] }
    verification: { attempts_max: 3 }
    minimum: [tax.*]
`;

function problemsOf(files: Readonly<Record<string, string | Uint8Array>>): readonly Problem[] {
  const all = Object.entries({ 'purposes.yaml': purposes, 'rules/tax.yaml': rules, ...files });
  try {
    compilePolicyPack(all.map(([file, content]) => (typeof content === 'string' ? fileOf(file, content) : { file, bytes: content })), smallCatalogue);
  } catch (error) {
    assert.ok(isVeilgateError(error, 'POLICY_BROKEN'), String(error));
    const found = error.detail?.['problems'] as readonly Problem[];
    assert.ok(found.length > 0);
    return found;
  }
  return [];
}

/** [what is broken, file, text replaced, its replacement, line and column of the problem, what it says] */
const cases: readonly (readonly [string, 'rules' | 'purposes', string | RegExp, string, string, RegExp])[] = [
  ['a typo in a field', 'rules', '[revenue_cents]', '[revenu_cents]', '5:14', /no field "revenu_cents" \(did you mean "revenue_cents"\?\)/],
  ['a pattern that matches nothing', 'rules', '*_cents', '*_yuan', '15:14', /no field of tax matches "\*_yuan"/],
  ['a typo in a purpose', 'rules', '[review]', '[reveiw]', '6:16', /unknown purpose "reveiw" \(did you mean "review"\?\)/],
  ['a typo in a class', 'rules', '[bank]', '[banks]', '7:27', /unknown institution class "banks" \(did you mean "bank"\?\)/],
  ['a star for all purposes in a rule that opens', 'rules', '[review]', "['*']", '6:16', /"\*" may stand for every purpose only in a deny/],
  ['an unknown key', 'rules', 'purposes: [review]', 'purpose: [review]', '6:5', /unknown key "purpose" \(did you mean "purposes"\?\)/],
  ['a missing key', 'rules', /    purposes: .*\n/, '', '3:5', /the key "purposes" is missing/],
  ['a wrong type', 'rules', 'fields: [revenue_cents]', 'fields: revenue_cents', '5:13', /must be array/],
  ['a key without a value', 'rules', 'fields: [revenue_cents]', 'fields:', '5:12', /must be array/],
  ['consent none', 'rules', '[original]', '[none]', '8:15', /must be one of desensitised, original/],
  ['a typo in a consent', 'rules', '[original]', '[orignal]', '8:15', /did you mean "original"/],
  ['an unknown use', 'rules', 'use: read, disposition: clear', 'use: reed, disposition: clear', '9:20', /"use" must be one of read, verify, score, aggregate \(did you mean "read"\?\)/],
  ['an effect without use', 'rules', 'use: read, disposition: clear', 'disposition: clear', '9:13', /the key "use" is missing|"use" must be one of/],
  ['an unknown disposition', 'rules', 'disposition: clear', 'disposition: cleer', '9:39', /must be one of clear, mask, band, token \(did you mean "clear"\?\)/],
  ['a typo in deny', 'rules', '{ use: read, disposition: clear }', 'dney', '9:13', /must be "deny" \(did you mean "deny"\?\)/],
  ['an unknown treatment', 'rules', 'method: band', 'method: bands', '19:66', /did you mean "band"/],
  ['a treatment of another disposition', 'rules', 'disposition: band', 'disposition: mask', '19:13', /belongs to the disposition "band"/],
  ['a treatment missing', 'rules', /, treatment: .*\}/, ' }', '19:13', /"band" needs a treatment/],
  ['a treatment too many', 'rules', 'disposition: clear', 'disposition: clear, treatment: { method: suppress }', '9:13', /a clear value has no treatment/],
  ['a parameter of another treatment', 'rules', 'edges: [100, 1000]', 'edges: [100, 1000], first: 2', '19:92', /unknown key "first"/],
  ['edges that descend', 'rules', '[100, 1000]', '[1000, 100]', '19:13', /edges must ascend/],
  ['not a number', 'rules', '[100, 1000]', '[100, .nan]', '19:85', /must be number/],
  ['an unknown fact', 'rules', 'institution.security_level', 'institution.securty_level', '12:19', /unknown fact .* \(did you mean "institution.security_level"\?\)/],
  ['an operator of another type', 'rules', 'op: at_least', 'op: before', '12:51', /"before" does not work on institution.security_level/],
  ['a value out of range', 'rules', 'value: 3', 'value: 9', '12:68', /not a value that institution.security_level/],
  ['a value of another type', 'rules', 'value: 3', "value: '3'", '12:68', /not a value that/],
  ['a condition that is two', 'rules', 'op: at_least', 'any: [], op: at_least', '12:13', /unknown key|fewer than 1/],
  ['a condition without parts', 'rules', /all:\n.*\}/, 'all: []', '11:12', /must NOT have fewer than 1 items/],
  ['a condition too deep', 'rules', /all:\n.*\}/, `${'{ not: '.repeat(7).slice(2)}{ fact: institution.security_level, op: equals, value: 3 }${' }'.repeat(6)}`, '11:47', /deeper than 5/],
  ['a title that turns what stands beside it', 'rules', '{ en: Revenue,', '{ en: "Revenue \\u202e3",', '4:24', /must be one line of text that shows/],
  ['a title of two lines', 'rules', '{ en: Revenue,', '{ en: "Revenue\\nfor all",', '4:24', /must be one line of text that shows/],
  ['a code of a condition with what cannot be seen', 'rules', 'value: 3', 'value: "3\\u200b"', '12:68', /must be one line of text that shows/],
  ['a comment that turns the line', 'rules', '    fields: [revenue_cents]', '    fields: [revenue_cents] # only\u202e', '5:35', /a character that cannot be seen/],
  ['a duplicate id', 'rules', 'id: tax-band', 'id: tax-revenue', '13:9', /the rule id "tax-revenue" is already used in rules\/tax.yaml, line 3/],
  ['a duplicate key', 'rules', '    consent: [original]', '    consent: [original]\n    consent: [desensitised]', '9:5', /same key stands here twice/],
  ['a duplicate entry', 'rules', '[revenue_cents]', '[revenue_cents, revenue_cents]', '5:29', /same entry stands here twice/],
  ['tab indentation', 'rules', '    fields: [revenue_cents]', '\tfields: [revenue_cents]', '5:1', /tab|not valid YAML/],
  ['a bracket that is not closed', 'rules', '[review]', '[review', '7:5', /not valid YAML/],
  ['a wrong dataset', 'rules', 'dataset: tax', 'dataset: taxes', '1:10', /must be called rules\/taxes.yaml/],
  ['an anchor', 'rules', '[review]', '&p [review]', '6:18', /anchors are not allowed/],
  ['an alias', 'rules', /purposes: \[review\]\n(.*\n)*?.*purposes: \[review\]/, 'purposes: &p [review]\n    institution_classes: *p', '6:18', /anchors are not allowed|aliases/],
  ['a cycle', 'rules', '[review]', '&p [*p]', '6:18', /anchors are not allowed/],
  ['a tag', 'rules', 'fields: [revenue_cents]', 'fields: !!set { revenue_cents }', '5:13', /tags are not allowed/],
  ['a script tag', 'rules', '{ en: Revenue, zh: 收入 }', '!!js/function "return 1"', '4:18', /tags are not allowed/],
  ['a merge key', 'rules', '{ en: Revenue, zh: 收入 }', '{ <<: { en: a, zh: b } }', '4:20', /unknown key "<<"/],
  ['a prototype key', 'rules', '{ en: Revenue, zh: 收入 }', '{ en: a, zh: b, __proto__: { x: 1 } }', '4:34', /unknown key "__proto__"/],
  ['a second document', 'rules', '  - id: tax-band', '---\n  - id: tax-band', '13:1', /a second document/],
  ['a use the purpose does not have', 'rules', '{ use: read, disposition: clear }', '{ use: score }', '9:20', /the purpose review does not allow the use "score"/],
  ['a list where a mapping belongs', 'purposes', 'facts:\n  institution', 'facts:\n  - institution', '4:3', /must be object/],
  ['a field the minimum does not know', 'purposes', 'tax.*', 'tax.revenue', '12:15', /the catalogue has no field "tax.revenue"/],
  ['a minimum that matches nothing', 'purposes', 'tax.*', 'taxes.*', '12:15', /no field of the catalogue matches/],
  ['a fact the platform does not know', 'purposes', 'institution.security_level', 'institution.secure', '4:3', /the platform knows no fact "institution.secure"/],
  ['a fact of the wrong type', 'purposes', 'type: integer, min: 1, max: 5', 'type: text', '4:39', /is of type integer/],
  ['bounds the wrong way round', 'purposes', 'min: 1, max: 5', 'min: 5, max: 1', '4:53', /"min" must not be above "max"/],
  ['codes on a number', 'purposes', 'min: 1, max: 5', 'codes: [a]', '4:48', /only facts of type code have codes/],
  ['a cap that is no number', 'purposes', 'uses_max: 9', 'uses_max: many', '10:45', /must be integer/],
  ['a cap beyond every cap', 'purposes', 'attempts_max: 3', 'attempts_max: 1000000', '11:35', /must be <= 100/],
  ['a purpose name with a blank', 'purposes', '  review:', '  loan review:', '6:3', /cannot be a name here/],
];

describe('a broken policy', () => {
  it('is this test\'s own fault unless the unbroken one loads', () => {
    assert.deepEqual(problemsOf({}), []);
  });

  for (const [what, target, find, replacement, place, says] of cases) {
    it(`is refused for ${what}, at its line and column`, () => {
      const [file, text] = target === 'rules' ? ['rules/tax.yaml', rules] as const : ['purposes.yaml', purposes] as const;
      const broken = text.replace(find, replacement);
      assert.notEqual(broken, text, 'the case changes something');
      const problems = problemsOf({ [file]: broken });
      const found = problems.find((problem) => problem.file === file && `${problem.line}:${problem.column}` === place && says.test(problem.problem));
      assert.ok(found, `expected ${file}:${place} ${String(says)}, got\n${problems.map(problemLine).join('\n')}`);
    });
  }

  it('is refused when a file is no text, too large, too deep or a bomb', () => {
    const bomb = `a: &a [${'x,'.repeat(9)}x]\n${[...'bcdefghi'].map((name, at) => `${name}: &${name} [${`*${'abcdefgh'[at]},`.repeat(9)}*${'abcdefgh'[at]}]`).join('\n')}\n`;
    const bad: Record<string, [string | Uint8Array, RegExp]> = {
      'not UTF-8': [Uint8Array.from([0x61, 0x3a, 0x20, 0xff, 0xfe]), /not UTF-8/],
      'too large': ['#'.repeat(512 * 1024 + 1), /more than the allowed/],
      'too deep in brackets': ['['.repeat(100_000), /nested too deeply|not valid YAML/],
      'deep': [`a: ${'['.repeat(60)}${']'.repeat(60)}`, /nested deeper than 24/],
      'too deep in dashes': ['- '.repeat(50_000), /nested|not valid/],
      'an alias bomb': [bomb, /anchors are not allowed/],
      'empty': ['', /must be object/],
      'a mere word': ['deny', /must be object/],
    };
    for (const [what, [content, says]] of Object.entries(bad)) {
      const start = performance.now();
      const problems = problemsOf({ 'rules/tax.yaml': content });
      assert.ok(problems.some(({ file, line, problem }) => file === 'rules/tax.yaml' && line >= 1 && says.test(problem)), `${what}: ${problems.map(problemLine).join('\n')}`);
      assert.ok(performance.now() - start < 10_000, `${what} is refused quickly`);
    }
  });

  it('is refused without purposes', () => {
    assert.throws(() => compilePolicyPack([fileOf('rules/tax.yaml', rules)], smallCatalogue), (error) => isVeilgateError(error, 'POLICY_BROKEN') && error.message.includes('purposes.yaml:1:1'));
  });

  it('is refused when one id names two rules in different files', () => {
    const owner = rules.replaceAll('dataset: tax', 'dataset: owner').replace('[revenue_cents]', '[share]').replace("['*_cents']", '[share]').replace('[100, 1000]', '[10, 50]').replace('tax-band', 'owner-band');
    const problems = problemsOf({ 'rules/owner.yaml': owner });
    assert.deepEqual(problems.map(problemLine), ['rules/tax.yaml:3:9 /rules/0/id: the rule id "tax-revenue" is already used in rules/owner.yaml, line 3']);
  });

  it('reports all problems of all files at once, sorted, and never more than a hundred', () => {
    const problems = problemsOf({ 'rules/tax.yaml': rules.replace('[revenue_cents]', '[revenu_cents]').replace('[100, 1000]', '[1000, 100]'), 'purposes.yaml': purposes.replace('tax.*]', 'tax.*, tax.x]') });
    assert.deepEqual(problems.map(({ file, line }) => `${file}:${line}`), ['purposes.yaml:12', 'rules/tax.yaml:5', 'rules/tax.yaml:19']);
    assert.equal(problemsOf({ 'rules/tax.yaml': rules.replace('[revenue_cents]', `[${Array.from({ length: 300 }, (_, at) => `f${at}`).join(', ')}]`) }).length, 100);
  });

  it('puts no control characters into what it says', () => {
    const problems = problemsOf({ 'rules/tax.yaml': rules.replace('purposes: [review]', '"\\e[31m\\u202e\\n": 1') });
    assert.ok(problems.length > 0);
    assert.ok(problems.every(({ problem }) => /^[^\u0000-\u001f\u202e]*$/.test(problem)));
  });

  it('never makes loading throw anything but POLICY_BROKEN, whatever is done to the text', () => {
    const insert = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('\t', '- ', '{', ']', ': ', '&a ', '*a', '!!map ', '---\n', '|', '%YAML 1.1\n', '<<: ', '? ', '"', '\u0000', '__proto__: '));
    fc.assert(fc.property(fc.nat(rules.length), fc.nat(12), insert, fc.boolean(), (at, cut, text, inRules) => {
      const source = inRules ? rules : purposes;
      const place = at % source.length;
      const broken = source.slice(0, place) + text + source.slice(place + cut);
      const problems = problemsOf({ [inRules ? 'rules/tax.yaml' : 'purposes.yaml']: broken });
      for (const { file, line, column } of problems) {
        // a purpose or class that is gone is missed where the rules name it
        const lines = (file === 'rules/tax.yaml') === inRules ? broken : inRules ? purposes : rules;
        assert.ok(line >= 1 && column >= 1 && line <= lines.split('\n').length + 1);
      }
    }), { numRuns: 500 });
  });
});

describe('a policy whose rules contradict each other', () => {
  const second = (edges: string, when = '') => rules.replace('id: tax-revenue', 'id: tax-first').replace(/ {4}effect: \{ use: read, disposition: clear \}\n {4}when:\n.*\n.*\n/, `    effect: { use: read, disposition: band, treatment: { method: band, edges: ${edges} } }\n${when}`).replace('[original]', '[desensitised]');
  const at = (op: string, value: number) => `    when: { fact: institution.security_level, op: ${op}, value: ${value} }\n`;

  it('is refused when both say the same disposition in different ways', () => {
    const [problem, ...others] = problemsOf({ 'rules/tax.yaml': second('[100, 5000]') });
    assert.match(problem?.problem ?? '', /conflicts with the rule "tax-band": both open tax.revenue_cents by "band"/);
    assert.deepEqual([problem?.pointer, others.length], ['/rules/0/effect', 0]);
    assert.deepEqual(problemsOf({ 'rules/tax.yaml': second('[100, 1000]') }), [], 'equal treatments are no contradiction');
  });

  it('is accepted when their conditions exclude each other', () => {
    const with2 = (first: string, other: string) => second('[100, 5000]', first).trimEnd() + `\n${other}`;
    assert.deepEqual(problemsOf({ 'rules/tax.yaml': with2(at('at_least', 3), at('at_most', 2)) }), []);
    assert.equal(problemsOf({ 'rules/tax.yaml': with2(at('at_least', 3), at('at_most', 3)) }).length, 1);
  });

  it('is refused for comparisons that differ as well', () => {
    const verify = (method: string) => `{ use: verify, comparison: ${method} }`;
    const text = rules.replace('{ use: read, disposition: clear }', verify('{ method: equal }')).replace(/\{ use: read, disposition: band.*/, verify('{ method: within_percent, percent: 5 }')).replace('[desensitised]', '[original]');
    assert.match(problemsOf({ 'rules/tax.yaml': text })[0]?.problem ?? '', /conflicts with the rule/);
  });

  it('needs the same purpose, class, consent and field to contradict', () => {
    assert.deepEqual(problemsOf({ 'rules/tax.yaml': second('[100, 5000]').replace('[desensitised]', '[original]') }), []);
  });

  it('is not confused by the purposes file alone', () => {
    assert.deepEqual(problemsOf({ 'purposes.yaml': fileOfText(purposesText()) }), []);
  });
});

describe('a policy that loads but is hardly meant so', () => {
  const warningsOf = (files: Readonly<Record<string, string>>) => compilePolicyPack(Object.entries({ 'purposes.yaml': purposes, 'rules/tax.yaml': rules, ...files }).map(([file, text]) => fileOf(file, text)), smallCatalogue).warnings.map(problemLine);

  it('warns of fields in a minimum that no rule opens, and of datasets without rules', () => {
    assert.deepEqual(warningsOf({}), [
      'purposes.yaml:12:14 /purposes/review/minimum: no rule opens 3 of these fields to anybody: tax.rating, tax.customer, tax.closed',
      'rules/owner.yaml:1:1: the dataset owner has no rules: everything in it is withheld',
    ]);
  });

  it('warns of rules that stricter rules always hide, or that no purpose needs', () => {
    const hidden = rules.replace('[desensitised]', '[original]').replace(/ {4}when:\n.*\n.*\n/, '');
    assert.ok(warningsOf({ 'rules/tax.yaml': hidden }).includes('rules/tax.yaml:3:5 /rules/0: the rule "tax-revenue" never decides anything: its fields are outside the minimum of its purposes, or stricter rules always win'));
    const needless = warningsOf({ 'purposes.yaml': purposes.replace('[tax.*]', '[tax.paid_cents]') });
    assert.ok(needless.some((warning) => warning.includes('the rule "tax-revenue" never decides')));
    assert.ok(!needless.some((warning) => warning.includes('"tax-band"')));
  });
});

function fileOfText(content: unknown): string {
  return new TextDecoder().decode(fileOf('x', content).bytes);
}

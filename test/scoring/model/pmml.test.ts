import { strict as assert } from 'node:assert';
import path from 'node:path';
import { isVeilgateError } from '../../../src/errors.ts';
import { loadFeatures } from '../../../src/scoring/feature/load.ts';
import { importPmml } from '../../../src/scoring/model/pmml/import.ts';
import type { FeatureId } from '../../../src/scoring/protocol.ts';
import { parseModel } from '../../../src/scoring/model/shape.ts';
import { loadCatalogue } from '../../../src/source/catalogue.ts';
import type { FieldRef } from '../../../src/vocabulary.ts';
import { root } from '../../support/sources.ts';

const policies = path.join(root, 'policies');
const features = [...loadFeatures(policies, loadCatalogue(path.join(policies, 'catalogue'))).values()];
const details = { ref: 'taken_over@1', title: { en: 'Taken over', zh: '导入' }, purposes: ['pre_loan_review'], institution_classes: ['commercial_bank'] };
const read = (text: string) => importPmml(text, features, details);

const pmml = (body: string, dictionary = '') => `<?xml version="1.0" encoding="UTF-8"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/><DataDictionary>${dictionary}</DataDictionary>
${body}
</PMML>`;
const range = (from: string, to: string) => `<CompoundPredicate booleanOperator="and"><SimplePredicate field="current_ratio" operator="greaterOrEqual" value="${from}"/><SimplePredicate field="current_ratio" operator="lessThan" value="${to}"/></CompoundPredicate>`;
const liquidity = `<Characteristic name="liquidity" reasonCode="RC1" baselineScore="30">
  <Attribute partialScore="5"><SimplePredicate field="current_ratio" operator="isMissing"/></Attribute>
  <Attribute partialScore="10"><SimplePredicate field="current_ratio" operator="lessThan" value="0.006"/></Attribute>
  <Attribute partialScore="20.5">${range('0.006', '0.016')}</Attribute>
  <Attribute partialScore="30"><SimplePredicate field="current_ratio" operator="greaterOrEqual" value="0.016"/></Attribute>
</Characteristic>`;
const scorecard = (characteristics: string, more = '') => pmml(`<Scorecard modelName="card" functionName="regression" initialScore="100" useReasonCodes="true"><MiningSchema>${more}</MiningSchema><Characteristics>${characteristics}</Characteristics></Scorecard>`, '<DataField name="arrears_months" optype="continuous" dataType="integer"/>');
const taxAndArrears = `<Characteristic name="tax" reasonCode="RC2">
  <Attribute partialScore="40"><SimplePredicate field="tax.credit_rating" operator="equal" value="A"/></Attribute>
  <Attribute partialScore="25"><SimpleSetPredicate field="tax.credit_rating" booleanOperator="isIn"><Array n="3" type="string">"C" D  "M"</Array></SimpleSetPredicate></Attribute>
  <Attribute partialScore="-5"><True/></Attribute>
</Characteristic>
<Characteristic name="arrears" reasonCode="RC2">
  <Attribute partialScore="12"><SimplePredicate field="arrears_months" operator="lessOrEqual" value="0"/></Attribute>
  <Attribute partialScore="7"><CompoundPredicate booleanOperator="and"><SimplePredicate field="arrears_months" operator="greaterThan" value="0"/><SimplePredicate field="arrears_months" operator="lessThan" value="4"/></CompoundPredicate></Attribute>
</Characteristic>`;

describe('models out of PMML', () => {
  it('takes over a scorecard: bins by their edges, codes by their sets, missing and other values into the offset', () => {
    const { model, roundingErrorMax } = read(scorecard(liquidity + taxAndArrears));
    assert.equal(roundingErrorMax, 0);
    assert.deepEqual([model.scale, model.offset], [10, 1000 + 50 - 50]);
    assert.deepEqual(Object.fromEntries(model.terms.map(({ feature, weight }) => [feature, weight])), {
      'financials/current_ratio_low': 50, 'financials/current_ratio_middle': 155, 'financials/current_ratio_high': 250,
      'tax/rating_a': 450, 'tax/rating_m': 300, 'tax/rating_c_or_d': 300, 'social_insurance/arrears_none': 120, 'social_insurance/arrears_short': 70,
    });
    assert.deepEqual(model.reasons.map(({ code, features: of }) => [code, of.length]), [['RC1', 3], ['RC2', 5]]);
    parseModel(model);
  });

  it('takes over a bin that is several features together', () => {
    const { model } = read(scorecard('<Characteristic name="x"><Attribute partialScore="9"><SimplePredicate field="current_ratio" operator="lessThan" value="0.016"/></Attribute></Characteristic>'));
    assert.deepEqual(model.terms, [{ feature: 'financials/current_ratio_low', weight: 9 }, { feature: 'financials/current_ratio_middle', weight: 9 }]);
  });

  const regression = (predictors: string, more = '', functionName = 'regression') =>
    pmml(`<RegressionModel functionName="${functionName}" ${more}><MiningSchema/><RegressionTable intercept="-1.25" targetCategory="1">${predictors}</RegressionTable>${functionName === 'classification' ? '<RegressionTable intercept="0" targetCategory="0"/>' : ''}</RegressionModel>`);

  it('takes over a regression, with points for each step of the encoded value and a rounding error it states', () => {
    const { model, roundingErrorMax } = read(regression('<NumericPredictor name="debt_ratio" coefficient="-3.7"/><NumericPredictor name="financials.roa_after_tax" exponent="1" coefficient="2.123456789"/><CategoricalPredictor name="credit_rating" value="A" coefficient="0.5"/>', 'normalizationMethod="logit"', 'classification'));
    assert.equal(model.scale, 10_000);
    assert.equal(model.offset, -12_500);
    assert.deepEqual(model.terms, [{ feature: 'financials/debt_ratio', weight: -370 }, { feature: 'financials/roa_after_tax', weight: 212 }, { feature: 'tax/rating_a', weight: 5000 }]);
    assert.ok(roundingErrorMax > 0.003 && roundingErrorMax < 0.004, String(roundingErrorMax));
    // the error is what it says: at its worst roa_after_tax is 100
    assert.ok(Math.abs(100 * 0.0212 - 2.123456789) <= roundingErrorMax);
  });

  it('refuses what cannot be taken over, with its place in the file', () => {
    const bin = (predicate: string) => scorecard(`<Characteristic name="x"><Attribute partialScore="1">${predicate}</Attribute></Characteristic>`);
    const refusals: readonly (readonly [RegExp, string])[] = [
      [/not PMML/, '<Model/>'],
      [/one model/, pmml('')],
      [/TreeModel cannot be taken over/, pmml('<TreeModel functionName="regression"/>')],
      [/exactly these values/, bin('<SimplePredicate field="current_ratio" operator="lessThan" value="0.007"/>')],
      [/include their lower edge/, bin('<SimplePredicate field="current_ratio" operator="lessOrEqual" value="0.006"/>')],
      [/exactly these codes/, bin('<SimplePredicate field="credit_rating" operator="equal" value="C"/>')],
      [/no feature/, bin('<SimplePredicate field="shoe_size" operator="lessThan" value="9"/>')],
      [/Only two sides/, bin('<CompoundPredicate booleanOperator="or"><SimplePredicate field="current_ratio" operator="lessThan" value="0.006"/></CompoundPredicate>')],
      [/operator/, bin('<SimplePredicate field="current_ratio" operator="notEqual" value="1"/>')],
      [/computed/, scorecard('<Characteristic name="x"><Attribute><True/><ComplexPartialScore/></Attribute></Characteristic>')],
      [/same field/, scorecard(liquidity + liquidity)],
      [/must not overlap/, scorecard(liquidity.replace(range('0.006', '0.016'), range('-1', '0.016').replaceAll('greaterOrEqual" value="-1"', 'lessThan" value="0.016"')))],
      [/different points/, scorecard(liquidity.replace('</Characteristic>', '<Attribute partialScore="6"><True/></Attribute></Characteristic>'))],
      [/reason code/, scorecard(liquidity.replace('<Attribute partialScore="10">', '<Attribute partialScore="10" reasonCode="RC9">'))],
      [/Missing values are replaced/, scorecard(liquidity, '<MiningField name="current_ratio" missingValueReplacement="0"/>')],
      [/never moved/, scorecard(liquidity, '<MiningField name="current_ratio" outliers="asExtremeValues"/>')],
      [/Transformed/, scorecard(liquidity).replace('<Scorecard', '<TransformationDictionary><DerivedField/></TransformationDictionary><Scorecard')],
      [/Powers/, regression('<NumericPredictor name="debt_ratio" exponent="2" coefficient="1"/>')],
      [/not exactly one feature/, regression('<NumericPredictor name="current_ratio" coefficient="1"/>')],
      [/normalization/, regression('<NumericPredictor name="debt_ratio" coefficient="1"/>', 'normalizationMethod="cauchit"')],
      [/too large/, regression('<NumericPredictor name="debt_ratio" coefficient="1e9"/>')],
      [/no number/, regression('<NumericPredictor name="debt_ratio" coefficient="0x10"/>')],
      [/lacks the attribute/, regression('<NumericPredictor name="debt_ratio"/>')],
    ];
    for (const [words, text] of refusals) {
      assert.throws(() => read(text), (error: unknown) => {
        assert.ok(isVeilgateError(error, 'MODEL_FILE_REFUSED'), `${words}: ${String(error)}`);
        assert.match(error.message, words);
        assert.ok(Number(error.detail?.['line']) >= 1 && Number(error.detail?.['column']) >= 1);
        return true;
      });
    }
  });

  it('asks for the dataset where two have a field of that name', () => {
    const twin = { ...features[0]!, id: 'other/debt_ratio' as FeatureId, source: 'other.debt_ratio' as FieldRef };
    assert.throws(() => importPmml(regression('<NumericPredictor name="debt_ratio" coefficient="1"/>'), [...features, twin], details), /several datasets have: name it dataset\.field/);
  });

  it('names the line a fault stands in', () => {
    const text = scorecard(liquidity).replace('value="0.016"/></Attribute>\n</Char', 'value="0.017"/></Attribute>\n</Char');
    const line = text.split('\n').findIndex((each) => each.includes('0.017')) + 1;
    assert.throws(() => read(text), (error: unknown) => isVeilgateError(error) && error.detail?.['line'] === line);
  });

  it('reads no document type, no entity, no other file, and nothing endless', () => {
    const hostile: readonly (readonly [RegExp, string])[] = [
      [/document type/, '<!DOCTYPE PMML [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><PMML>&b;</PMML>'],
      [/document type/, '<!DOCTYPE PMML SYSTEM "file:///etc/passwd"><PMML/>'],
      [/well-formed/, '<PMML>&xxe;</PMML>'],
      [/well-formed/, '<PMML><Scorecard></PMML>'],
      [/well-formed/, '<PMML a="1" a="2"/>'],
      [/well-formed/, '\u0000<PMML/>'],
      [/well-formed|no element/, ''],
      [/processing instruction/, '<?xml-stylesheet href="x"?><PMML/>'],
      [/too many elements or levels/, `${'<a>'.repeat(30)}${'</a>'.repeat(30)}`],
      [/too many elements or levels/, `<a>${'<b/>'.repeat(20_001)}</a>`],
      [/too many attributes/, `<a ${Array.from({ length: 40 }, (_, at) => `x${at}="1"`).join(' ')}/>`],
      [/too long/, `<a x="${'y'.repeat(5000)}"/>`],
      [/more than/, `<a>${' '.repeat(2_100_000)}</a>`],
    ];
    for (const [words, text] of hostile) {
      assert.throws(() => read(text), (error: unknown) => {
        assert.ok(isVeilgateError(error, 'MODEL_FILE_REFUSED'), `${words}: ${String(error)}`);
        assert.match(error.message, words);
        return true;
      });
    }
  });
});

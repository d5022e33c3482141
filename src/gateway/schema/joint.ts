import { edgeMax, edgesMax, statementColumnsMax, statementKinds, weightMax, type StatementKind } from '../../joint/statement/statement.ts';
import type { JsonSchema, NamedSchemas } from './compile.ts';
import { named } from './compile.ts';
import { integer, list, object } from './words.ts';

const name = { type: 'string', pattern: '^[a-z][a-z0-9_]{0,40}$', maxLength: 41, description: 'A column as the project names it.' } as const;
const columns = { ...list(name, statementColumnsMax), minItems: 1 };
const pair = { ...list(name, 2), minItems: 2 };
const terms = { ...list(object({ column: name, weights: { ...list(integer(-weightMax, weightMax), 1024), minItems: 1 } }), statementColumnsMax), minItems: 1 };
const partner = { ...name, description: 'A partner column: the answer stands by its bins.' };

const forms: Readonly<Record<StatementKind, { readonly members: Readonly<Record<string, JsonSchema>>; readonly optional?: readonly string[]; readonly says: string }>> = {
  count: { members: { partner }, says: 'Enterprises in each bin of a partner column.' },
  sum: { members: { column: name, partner }, optional: ['partner'], says: 'Sum of a column in steps.' },
  mean: { members: { column: name, partner }, optional: ['partner'], says: 'Count and sum.' },
  variance: { members: { column: name, partner }, optional: ['partner'], says: 'Count, sum and sum of squares.' },
  covariance: { members: { columns: pair, partner }, optional: ['partner'], says: 'Count, both sums and the sum of products.' },
  histogram: { members: { column: name, partner }, optional: ['partner'], says: 'Enterprises in each bin of a column.' },
  table: { members: { columns, partner }, says: 'Enterprises in each bin of each column, by the bins of the partner\'s.' },
  woe: { members: { columns, partner }, says: 'The same against a label: bin 0 good, bin 1 bad, others left out.' },
  pairs: { members: { pairs: { ...list(pair, statementColumnsMax), minItems: 1 }, partner }, optional: ['partner'], says: 'Tables of two platform columns each.' },
  weighted_sum: {
    members: { terms, partner },
    optional: ['partner'], says: 'Sum of a score with whole weights: one for each bin, or one times the step.',
  },
  bands: { members: { terms, edges: { ...list(integer(-edgeMax, edgeMax), edgesMax), minItems: 1 }, partner }, optional: ['partner'], says: 'Enterprises in each band of such a score.' },
};

/** What joint modelling adds to the vocabulary's schemas. */
export const jointRunSchemas: NamedSchemas = {
  JointStatement: {
    description: 'What is asked of a cohort (docs/formats/joint-run.md).',
    oneOf: statementKinds.map((kind) => {
      const { members, optional = [], says } = forms[kind];
      return object({ kind: { const: kind }, ...members }, { optional, description: says });
    }),
  },
  JointStatementBudget: {
    description: 'How much of the privacy budget the statement may use: rho itself, or a share of the project\'s.',
    oneOf: [
      object({ rho: { type: 'number', exclusiveMinimum: 0, maximum: 1000 } }),
      object({ share: { type: 'number', exclusiveMinimum: 0, maximum: 1 } }),
    ],
  },
  JointAsked: object({ statement: named('JointStatement'), budget: named('JointStatementBudget') }),
};

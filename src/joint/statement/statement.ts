/**
 * What a partner may ask, as it travels. `column` and `columns` name the project's platform columns, `partner` one of
 * its partner columns: the answer then stands by its bins, and is encrypted under the drawn bundle's key. Without
 * `partner` the answer is one number over the whole cohort, which the platform works out by itself.
 */
export type Statement =
  /** Enterprises in each bin of the partner's column. */
  | { readonly kind: 'count'; readonly partner: string }
  /** Sums of a column in steps. */
  | { readonly kind: 'sum' | 'mean' | 'variance'; readonly column: string; readonly partner?: string }
  /** Everything the covariance of two columns in steps is made of. */
  | { readonly kind: 'covariance'; readonly columns: readonly [string, string]; readonly partner?: string }
  /** Enterprises in each bin of a column. */
  | { readonly kind: 'histogram'; readonly column: string; readonly partner?: string }
  /** The same for many columns at once. */
  | { readonly kind: 'table'; readonly columns: readonly string[]; readonly partner: string }
  /** The same against a label whose bins 0 and 1 are good and bad. */
  | { readonly kind: 'woe'; readonly columns: readonly string[]; readonly partner: string }
  /** Tables of two platform columns each. */
  | { readonly kind: 'pairs'; readonly pairs: readonly (readonly [string, string])[]; readonly partner?: string }
  /** Sum of a score: for each column in bins a whole weight by bin, for one in steps one weight. */
  | { readonly kind: 'weighted_sum'; readonly terms: ScoreTerms; readonly partner?: string }
  /** Enterprises in each band of such a score: band i holds scores from edge i-1 on and below edge i. `edges` are whole, ascending. */
  | { readonly kind: 'bands'; readonly terms: ScoreTerms; readonly edges: readonly number[]; readonly partner?: string };

/** A score over platform columns. */
export type ScoreTerms = readonly { readonly column: string; readonly weights: readonly number[] }[];

export type StatementKind = Statement['kind'];
export const statementKinds = ['count', 'sum', 'mean', 'variance', 'covariance', 'histogram', 'table', 'woe', 'pairs', 'weighted_sum', 'bands'] as const satisfies readonly StatementKind[];

/** Columns, pairs or terms one statement names. */
export const statementColumnsMax = 256;
/** Results one statement has. */
export const partsMax = 16_384;
/** Edges between the bands of a score, and how far from 0 one may lie. */
export const edgesMax = 255;
export const edgeMax = 1e12;
/** Of a weight, either way. */
export const weightMax = 10_000;

/** How much of the privacy budget a statement asks for: ρ itself, or a share of what the project was given. */
export type StatementBudget = { readonly rho: number } | { readonly share: number };

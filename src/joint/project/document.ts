import type { Brand, DatasetId, FieldRef, InstitutionId, IsoDate, PurposeCode } from '../../vocabulary.ts';

/** 22 base64url characters, 128 random bits. */
export type ProjectId = Brand<string, 'ProjectId'>;

/**
 * How a value of the platform becomes a small whole number; nothing without a bound can be summed.
 * - `bins` by `edges`, ascending: bin i holds values from edge i-1 on and below edge i; the last bin holds who has no value
 * - `bins` by `codes`: one bin for each code, in order; the last bin holds every other code and who has no value
 * - `steps`: from `min` to `max` in `steps` equal steps, values beyond at the ends; who has no value is at 0
 */
export type ColumnEncoding =
  | { readonly kind: 'bins'; readonly edges: readonly number[] }
  | { readonly kind: 'bins'; readonly codes: readonly string[] }
  | { readonly kind: 'steps'; readonly min: number; readonly max: number; readonly steps: number };

/** A column of the platform: one field of the catalogue, its latest record, made small. */
export type PlatformColumn = { readonly name: string; readonly source: FieldRef; readonly encoding: ColumnEncoding };
/** A column of the partner: every enterprise of the cohort is in exactly one of its bins. */
export type PartnerColumn = { readonly name: string; readonly bins: number };

/** What a partner may work out together with the platform, as two officers approved it. */
export type JointProject = {
  readonly title: { readonly en: string; readonly zh: string };
  readonly partner: InstitutionId;
  readonly purpose: PurposeCode;
  /** Exactly those of the columns' fields. */
  readonly datasets: readonly DatasetId[];
  readonly columns: readonly PlatformColumn[];
  readonly partnerColumns: readonly PartnerColumn[];
  /** For everything that is released under the project. */
  readonly budget: { readonly epsilon: number; readonly delta: number };
  /** K of the lottery. */
  readonly bundles: number;
  /** k: fewest members of a cohort, and fewest by which two may differ. */
  readonly cohortMin: number;
  /** Last day, in Asia/Shanghai. */
  readonly endsOn: IsoDate;
};

/** A project as it travels and is stored; policies/schema/joint-project.schema.json says what each member may hold. */
export type JointProjectJson = {
  readonly title: { readonly en: string; readonly zh: string };
  readonly partner: string;
  readonly purpose: string;
  readonly datasets: readonly string[];
  readonly columns: readonly { readonly name: string; readonly source: string; readonly encoding: ColumnEncoding }[];
  readonly partner_columns: readonly PartnerColumn[];
  readonly budget: { readonly epsilon: number; readonly delta: number };
  readonly bundles: number;
  readonly cohort_min: number;
  readonly ends_on: string;
};

/** The document; what its digest is made of. */
export function projectToJson({ title, partner, purpose, datasets, columns, partnerColumns, budget, bundles, cohortMin, endsOn }: JointProject): JointProjectJson {
  return { title, partner, purpose, datasets, columns, partner_columns: partnerColumns, budget, bundles, cohort_min: cohortMin, ends_on: endsOn };
}

/** The project of a document that is known to be one: what a gateway serves, or what shape.ts has checked. */
export function projectFromJson({ title, partner, purpose, datasets, columns, partner_columns, budget, bundles, cohort_min, ends_on }: JointProjectJson): JointProject {
  return {
    title, partner: partner as InstitutionId, purpose: purpose as PurposeCode, datasets: datasets as readonly DatasetId[], columns: columns as readonly PlatformColumn[],
    partnerColumns: partner_columns, budget, bundles, cohortMin: cohort_min, endsOn: ends_on as IsoDate,
  };
}

/** Catalogue fields a project works on, each once: what consent and policy speak of. */
export function sourceFieldsOf({ columns }: Pick<JointProject, 'columns'>): FieldRef[] {
  return [...new Set(columns.map(({ source }) => source))];
}

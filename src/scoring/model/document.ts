import type { InstitutionClass, InstitutionId, PurposeCode } from '../../vocabulary.ts';
import type { FeatureId, Model, ModelRef } from '../protocol.ts';

type Words = { readonly en: string; readonly zh: string };

/** A model as it travels and is stored: policies/schema/model.schema.json says what each member may hold. */
export type ModelJson = {
  readonly ref: string;
  readonly title: Words;
  readonly purposes: readonly string[];
  readonly institution_classes: readonly string[];
  readonly institutions?: readonly string[];
  readonly terms: readonly { readonly feature: string; readonly weight: number }[];
  readonly offset: number;
  readonly scale: number;
  readonly bands: readonly { readonly from: number | null; readonly code: string; readonly text: Words }[];
  readonly reasons: readonly { readonly code: string; readonly text: Words; readonly features: readonly string[] }[];
};

/** The document of a model; what its digest is made of. */
export function modelToJson({ ref, title, purposes, institutionClasses, institutions, terms, offset, scale, bands, reasons }: Model): ModelJson {
  return { ref, title, purposes, institution_classes: institutionClasses, ...(institutions === undefined ? {} : { institutions }), terms, offset, scale, bands, reasons };
}

/** The model of a document that is known to be one: what a gateway serves, or what shape.ts has checked. */
export function modelFromJson({ ref, title, purposes, institution_classes, institutions, terms, offset, scale, bands, reasons }: ModelJson): Model {
  return {
    ref: ref as ModelRef, title, purposes: purposes as readonly PurposeCode[], institutionClasses: institution_classes as readonly InstitutionClass[],
    ...(institutions === undefined ? {} : { institutions: institutions as readonly InstitutionId[] }),
    terms: terms as Model['terms'], offset, scale, bands,
    reasons: reasons.map((reason) => ({ ...reason, features: reason.features as readonly FeatureId[] })),
  };
}

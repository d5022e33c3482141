import type { Sql } from '../../store/database.ts';
import type { InstitutionClass, InstitutionId } from '../../vocabulary.ts';
import type { Model, ModelRef } from '../protocol.ts';

/** The model under this name and version when it is approved and not retired. */
export async function approvedModel(_sql: Sql, _ref: ModelRef): Promise<Model | undefined> {
  return undefined;
}

/** Whether a model is meant for an institution at all; purpose and features are decided for each use. */
export function usableBy(model: Model, by: { readonly institution: InstitutionId; readonly institutionClass: InstitutionClass }): boolean {
  return model.institutionClasses.includes(by.institutionClass) && (model.institutions?.includes(by.institution) ?? true);
}

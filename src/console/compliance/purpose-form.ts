import type { PolicyUse } from '../../sdk/policy-cells.ts';
import type { PolicyCaps, PolicyGrantKind, PolicyLimit, PolicyPurposeEdit, PolicyPurposeView } from '../../sdk/policy-purposes.ts';

type Words = { readonly en: string; readonly zh: string };
type Shown = Pick<PolicyPurposeView, 'purpose' | 'title' | 'description' | 'uses' | 'caps' | 'attempts_max' | 'datasets' | 'bounds'>;
export const limitNames = ['validity_days_max', 'uses_max', 'frequency_max', 'data_life_days_max', 'data_period_years_max', 'attempts_max'] as const satisfies readonly PolicyLimit[];

/** A purpose as somebody fills it in: figures as they were typed. */
export type PurposeForm = {
  readonly title: Words;
  readonly description: Words;
  readonly limits: Readonly<Record<PolicyLimit, string>>;
  readonly per: PolicyCaps['frequency_max']['per'];
  readonly uses: readonly PolicyUse[];
  readonly kinds: readonly PolicyGrantKind[];
  readonly minimum: ReadonlySet<string>;
};
export type PurposeFault = PolicyLimit | 'title' | 'description' | 'uses' | 'kinds' | 'minimum';

/** The purpose as the version says it, with what a draft makes of it. */
export function formOf(view: Shown, edit?: PolicyPurposeEdit): PurposeForm {
  const caps = { ...view.caps, ...edit?.caps };
  const minimum = new Set(minimumOf(view));
  for (const field of edit?.minimum?.add ?? []) minimum.add(field);
  for (const field of edit?.minimum?.remove ?? []) minimum.delete(field);
  return {
    title: edit?.title ?? view.title, description: edit?.description ?? view.description, uses: edit?.uses ?? view.uses, kinds: caps.kinds, per: caps.frequency_max.per, minimum,
    limits: {
      validity_days_max: String(caps.validity_days_max), uses_max: String(caps.uses_max), frequency_max: String(caps.frequency_max.max), data_life_days_max: String(caps.data_life_days_max),
      data_period_years_max: String(caps.data_period_years_max), attempts_max: String(edit?.attempts_max ?? view.attempts_max),
    },
  };
}

function minimumOf({ datasets }: Shown): string[] {
  return datasets.flatMap(({ fields }) => fields).filter((field) => field.in_minimum).map(({ field }) => field);
}

/** What the gateway would refuse. */
export function faultsOf(form: PurposeForm, { bounds }: Shown): PurposeFault[] {
  const isWithin = (name: PolicyLimit) => /^\d{1,9}$/.test(form.limits[name]) && Number(form.limits[name]) >= bounds[name].min && Number(form.limits[name]) <= bounds[name].max;
  const isSaid = ({ en, zh }: Words) => en.trim() !== '' && zh.trim() !== '';
  const faults: readonly (readonly [PurposeFault, boolean])[] = [
    ['title', !isSaid(form.title)], ['description', !isSaid(form.description)], ['uses', form.uses.length === 0], ['kinds', form.kinds.length === 0], ['minimum', form.minimum.size === 0],
    ...limitNames.map((name) => [name, !isWithin(name)] as const),
  ];
  return faults.filter(([, isFault]) => isFault).map(([name]) => name);
}

/**
 * What makes of the purpose what the form says: only what differs; of a new one everything.
 * @param form without faults
 * @returns undefined when nothing differs
 */
export function editOf(form: PurposeForm, view: Shown, isNew = false): PolicyPurposeEdit | undefined {
  const differs = <Value>(now: Value, was: Value) => isNew || JSON.stringify(now) !== JSON.stringify(was);
  const frequency = { max: Number(form.limits.frequency_max), per: form.per };
  const caps: Partial<PolicyCaps> = {
    ...Object.fromEntries((['validity_days_max', 'uses_max', 'data_life_days_max', 'data_period_years_max'] as const).filter((name) => differs(Number(form.limits[name]), view.caps[name]))
      .map((name) => [name, Number(form.limits[name])])),
    ...(differs(frequency, view.caps.frequency_max) ? { frequency_max: frequency } : {}),
    ...(differs(form.kinds.toSorted(), view.caps.kinds.toSorted()) ? { kinds: form.kinds } : {}),
  };
  const was = new Set(minimumOf(view));
  const add = [...form.minimum].filter((field) => !was.has(field));
  const remove = [...was].filter((field) => !form.minimum.has(field));
  const changed: Omit<PolicyPurposeEdit, 'purpose'> = {
    ...(differs(form.title, view.title) ? { title: form.title } : {}), ...(differs(form.description, view.description) ? { description: form.description } : {}),
    ...(differs(form.uses.toSorted(), view.uses.toSorted()) ? { uses: form.uses } : {}), ...(Object.keys(caps).length > 0 ? { caps } : {}),
    ...(differs(Number(form.limits.attempts_max), view.attempts_max) ? { attempts_max: Number(form.limits.attempts_max) } : {}),
    ...(add.length + remove.length > 0 ? { minimum: { add, remove } } : {}),
  };
  return Object.keys(changed).length === 0 ? undefined : { purpose: view.purpose, ...(isNew ? { is_new: true } : {}), ...changed };
}

/** A purpose that says nothing yet, over the fields and bounds that there are. */
export function blankPurpose(view: PolicyPurposeView, code: string): PolicyPurposeView {
  const none = { en: '', zh: '' };
  return {
    ...view, purpose: code, title: none, description: none, uses: ['read'], attempts_max: 0, conditions: [],
    caps: { validity_days_max: 30, uses_max: 10, frequency_max: { max: 5, per: 'day' }, data_life_days_max: 30, data_period_years_max: 1, kinds: ['one_time'] },
    datasets: view.datasets.map((dataset) => ({ ...dataset, fields: dataset.fields.map((field) => ({ ...field, in_minimum: false, opened: false })) })),
  };
}

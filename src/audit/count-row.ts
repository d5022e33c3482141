import type { IsoDate } from '../vocabulary.ts';
import type { Counted } from './facts.ts';

/** A sum of counts over days; texts are empty where they say nothing. */
export type CountRow = { readonly institution: string; readonly purpose: string; readonly what: Counted; readonly item: string; readonly detail: string; readonly n: number };

/** What one institution did on one day. */
export type DayRow = Omit<CountRow, 'institution'> & { readonly day: IsoDate };

/** Days in Asia/Shanghai, the last one included. */
export type Days = { readonly from: IsoDate; readonly to: IsoDate };

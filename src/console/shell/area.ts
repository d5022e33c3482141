import type { ComponentType } from 'react';
import type { Texts } from './language.tsx';

/** A page of the console: where it is, what it is called, who may open it. */
export type Page = {
  /** Below /console, such as `policies/:version`. */
  readonly path: string;
  readonly title: string;
  /** Shown in the navigation, in this order. */
  readonly inNavigation?: boolean;
  /** Scopes of which one suffices. */
  readonly scopes: readonly string[];
  readonly load: () => Promise<{ readonly default: ComponentType }>;
};

/** The pages of one kind of person. Titles are names in `titles`. */
export type Area = {
  readonly name: string;
  readonly titles: Texts<string>;
  readonly pages: readonly Page[];
};

import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { I18nProvider } from 'react-aria-components';
import { isolated } from './isolated.ts';

export type Language = 'zh' | 'en';
/** A text in both languages, as documents of the platform carry it. */
export type Words = { readonly en: string; readonly zh: string };

/** Texts of one part of the console: both languages have the same names, or it does not compile. */
export type Texts<Names extends string> = { readonly en: Readonly<Record<Names, string>>; readonly zh: Readonly<Record<Names, string>> };

export const texts = <Names extends string>(en: Readonly<Record<Names, string>>, zh: Readonly<Record<NoInfer<Names>, string>>): Texts<Names> => ({ en, zh });

type LanguageContext = { readonly language: Language; readonly choose: (language: Language) => void };
const Context = createContext<LanguageContext>({ language: 'zh', choose: () => {} });

const remembered = 'veilgate.language';
const localeOf = { zh: 'zh-CN', en: 'en-GB' } as const;

/** Switches without a reload; a browser keeps what was chosen. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, choose] = useState<Language>(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = localeOf[language];
    localStorage.setItem(remembered, language);
  }, [language]);
  const value = useMemo(() => ({ language, choose }), [language]);
  return <Context value={value}><I18nProvider locale={localeOf[language]}>{children}</I18nProvider></Context>;
}

function firstLanguage(): Language {
  const chosen = localStorage.getItem(remembered);
  if (chosen === 'zh' || chosen === 'en') return chosen;
  return navigator.language.startsWith('en') ? 'en' : 'zh';
}

export function useLanguage() {
  return useContext(Context);
}

/** `t('saved', { count: 3 })` gives the text with `{count}` filled in. */
export type Translate<Names extends string> = (name: Names, values?: Readonly<Record<string, string | number>>) => string;

export function useTexts<Names extends string>(of: Texts<Names>): Translate<Names> {
  const { language } = useLanguage();
  return useMemo(() => (name, values = {}) => of[language][name].replaceAll(/\{(\w+)\}/g, (whole, key: string) => isolated(String(values[key] ?? whole))), [of, language]);
}

/** The form of a document's words in the language chosen; what it is written in moves nothing beside it. */
export function useWords(): (words: Words) => string {
  const { language } = useLanguage();
  return (words) => isolated(words[language]);
}

/** Times, days and numbers as people here write them; all times are those of Shanghai. */
export function useFormats() {
  const { language } = useLanguage();
  return useMemo(() => {
    const locale = localeOf[language];
    const timeZone = 'Asia/Shanghai';
    const time = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone });
    const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone });
    const number = new Intl.NumberFormat(locale);
    const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
    return {
      time: (at: string | number) => time.format(new Date(at)), day: (at: string | number) => day.format(new Date(at)),
      number: (value: number) => number.format(value), percent: (share: number) => percent.format(share),
    };
  }, [language]);
}

import type { AccountKind } from '../accounts.ts';
import { html, type Html, type Part } from './html.ts';
import { texts, type Language } from './language.ts';

/** What every page needs to know about its surroundings. */
export type PageFrame = {
  readonly language: Language;
  /** Path of the issuer, without a slash at the end: what links begin with. */
  readonly base: string;
  /** Path and query of this page, to offer it in the other language. */
  readonly here: string;
  /** Ties each form to this browser. */
  readonly csrf: string;
  /** Who is signed in: an enterprise's credit code, or a person's user name. */
  readonly signedIn?: { readonly as: string; readonly kind: AccountKind };
};

/** The whole document. Readable and usable without script and without style. */
export function document(frame: PageFrame, title: string, content: Part): Html {
  const { language, base, signedIn } = frame;
  const t = texts[language];
  return html`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – ${t.product}</title>
<link rel="stylesheet" href="${base}/assets/veilgate.css">
</head>
<body>
<a class="skip" href="#content">${t.skip}</a>
<header>
<p class="product">${t.product}</p>
<nav>
${signedIn !== undefined && html`<span class="who">${signedIn.kind === 'enterprise' ? t.signedInFor : t.signedInAs} ${signedIn.as}</span>
${signedIn.kind === 'enterprise' ? html`<a href="${base}/consents">${t.myConsents}</a>` : html`<a href="${base}/console/">${t.console}</a>`}
<a href="${base}/password">${t.passwordChange}</a>
<form method="post" action="${base}/sign-out">${csrfField(frame)}<button class="link">${t.signOut}</button></form>`}
<a href="${inLanguage(frame.here, language === 'zh' ? 'en' : 'zh')}" hreflang="${language === 'zh' ? 'en' : 'zh'}">${t.otherLanguage}</a>
</nav>
</header>
<main id="content">
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
}

export function csrfField({ csrf }: PageFrame): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}

type Field = {
  readonly name: string; /** `name` unless the page has several of that name. */ readonly id?: string; readonly label: string; readonly maxLength: number; readonly type?: string; readonly autocomplete?: string;
  readonly hint?: string; readonly value?: string; readonly optional?: boolean; readonly inputMode?: 'numeric';
};

/** A labelled input; `hint` is read out with it. */
export function inputField(field: Field): Html {
  const { name, label, hint, id = name } = field;
  const more = html`${field.inputMode !== undefined && html` inputmode="${field.inputMode}"`}${field.optional !== true && html` required`}${hint !== undefined && html` aria-describedby="${id}-hint"`}`;
  return html`<p class="field"><label for="${id}">${label}</label>
<input id="${id}" name="${name}" type="${field.type ?? 'text'}" value="${field.value ?? ''}" maxlength="${field.maxLength}" autocomplete="${field.autocomplete ?? 'off'}"${more}>
${hint !== undefined && html`<small id="${id}-hint">${hint}</small>`}</p>`;
}

/** Said first by screen readers. */
export function problemNote(message: string | undefined): Part {
  return message !== undefined && html`<p class="problem" role="alert">${message}</p>`;
}

function inLanguage(here: string, language: Language): string {
  const url = new URL(here, 'http://page.invalid');
  url.searchParams.set('lang', language);
  return url.pathname + url.search;
}

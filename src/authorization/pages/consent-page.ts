import type { ConsentDescription, FieldDescription } from '../consent-desk.ts';
import { fieldsMax, type ConsentRequest } from '../consent-request.ts';
import { html, type Html, type Part } from './html.ts';
import { texts, type Texts } from './language.ts';
import { csrfField, document, problemNote, type PageFrame } from './layout.ts';

/** Who asks what, why, how long, how often; with everything that can be narrowed as a form. */
export function consentPage(
  frame: PageFrame,
  page: { readonly uid: string; readonly request: ConsentRequest; readonly description: ConsentDescription; /** Sent back with the answer: stands for what is shown. */ readonly read: string; readonly problem?: string },
): Html {
  const t = texts[frame.language];
  const { request, description } = page;
  return document(frame, t.consentTitle, html`${problemNote(page.problem)}
<p class="asks"><strong><bdi>${description.institution.name}</bdi></strong> (${description.institution.kind}) ${t.asks}.</p>
<dl>
<dt>${t.subject}</dt><dd>${request.subject}</dd>
<dt>${t.why}</dt><dd><strong><bdi>${description.purpose.title}</bdi></strong>${sentence(description.purpose.text)}</dd>
<dt>${t.dataPeriod}</dt><dd>${dataPeriod(request, t)}</dd>
<dt>${t.howOften}</dt><dd>${usage(request, t)}</dd>
<dt>${t.deletion}</dt><dd>${t.deletionText(request.data_life_days)}</dd>
</dl>
<form method="post" action="${frame.base}/consent/${page.uid}">
${csrfField(frame)}<input type="hidden" name="read" value="${page.read}">
<p>${t.narrowHint}</p>
${byDataset(description.fields).map(([dataset, fields]) => fieldSet(dataset, fields, request, t))}
<fieldset><legend>${t.howLong}</legend>
<p class="field"><label for="valid_days">${t.validDays}</label>
<input id="valid_days" name="valid_days" type="number" min="1" max="${request.valid_days}" value="${request.valid_days}" required></p>
<p class="field"><label for="uses_max">${t.usesMax}</label>
<input id="uses_max" name="uses_max" type="number" min="1"${request.uses_max !== undefined && html` max="${request.uses_max}" value="${request.uses_max}" required`}></p>
</fieldset>
${description.caps.length > 0 && html`<details><summary>${t.caps}</summary><ul>${description.caps.map((cap) => html`<li>${cap}</li>`)}</ul></details>`}
<p>${t.rights}</p>
<p class="agree"><input type="checkbox" id="agree" name="agree" value="yes" required> <label for="agree">${t.agree}</label></p>
<p class="choice"><button name="decision" value="grant">${t.grant}</button>
<button name="decision" value="decline" class="quiet" formnovalidate>${t.decline}</button></p>
</form>`);
}

/** The account speaks for another enterprise: nothing about the request is shown. */
export function otherSubjectPage(frame: PageFrame, uid: string): Html {
  const t = texts[frame.language];
  return document(frame, t.otherSubjectTitle, html`<p>${t.otherSubject}</p>
<form method="post" action="${frame.base}/consent/${uid}">${csrfField(frame)}
<p><button name="decision" value="decline">${t.back}</button></p></form>`);
}

function fieldSet(dataset: string, fields: readonly FieldDescription[], request: ConsentRequest, t: Texts): Html {
  return html`<fieldset class="fields"><legend>${t.fields}: ${dataset}</legend>
<table><tbody>${fields.slice(0, fieldsMax).map((field) => {
    const asked = request.fields.find((one) => one.field === field.ref)?.ceiling ?? 'desensitised';
    const id = `f-${field.ref}`;
    return html`<tr><td><input type="checkbox" id="${id}" name="field" value="${field.ref}" checked></td>
<th scope="row"><label for="${id}"><bdi>${field.title}</bdi></label><small>${field.classification}</small></th>
<td>${asked === 'original'
      ? html`<label class="hidden" for="${id}-as">${t.ceiling}: ${field.title}</label><select id="${id}-as" name="ceiling.${field.ref}">
<option value="original" selected>${t.ceilings.original}</option>
<option value="desensitised">${t.ceilings.desensitised}</option></select>
<small>${t.ceilings.original}: ${field.gets.original}</small><small>${t.ceilings.desensitised}: ${field.gets.desensitised}</small>`
      : html`${t.ceilings.desensitised}: ${field.gets.desensitised}`}</td></tr>`;
  })}</tbody></table></fieldset>`;
}

/**
 * What the representative agreed to, in the words of the page, without markup: kept by digest in the grant.
 * `request` is already narrowed.
 */
export function noticeText(frame: Pick<PageFrame, 'language'>, request: ConsentRequest, description: ConsentDescription): string {
  const t = texts[frame.language];
  const gets = new Map(description.fields.map((field) => [field.ref as string, field]));
  return [
    t.noticeHead,
    `${description.institution.name} (${description.institution.kind}) ${t.asks}.`,
    `${t.subject}: ${request.subject}`,
    `${t.why}: ${description.purpose.title}. ${description.purpose.text}`,
    `${t.howLong}: ${t.validDaysText(request.valid_days)}`,
    `${t.howOften}: ${usage(request, t)}`,
    `${t.dataPeriod}: ${dataPeriod(request, t)}`,
    `${t.deletion}: ${t.deletionText(request.data_life_days)}`,
    ...request.fields.map(({ field, ceiling }) => {
      const described = gets.get(field);
      return `- ${described?.dataset ?? ''} / ${described?.title ?? field} (${field}; ${described?.classification ?? ''}): ${t.ceilings[ceiling]}, ${described?.gets[ceiling] ?? ''}`;
    }),
    t.rights,
    t.agree,
    '',
  ].join('\n');
}

function usage(request: ConsentRequest, t: Texts): string {
  return t.list([
    request.kind === 'one_time' ? t.once : t.periodically,
    t.usesText(request.uses_max ?? null),
    ...(request.frequency === undefined ? [] : [t.frequencyText(request.frequency.max, request.frequency.per)]),
  ]);
}

function dataPeriod(request: ConsentRequest, t: Texts): string {
  if (request.data_from === undefined && request.data_to === undefined) return t.anyTime;
  return [
    ...(request.data_from === undefined ? [] : [`${t.from} ${request.data_from}`]),
    ...(request.data_to === undefined ? [] : [`${t.until} ${request.data_to}`]),
  ].join(' ');
}

function sentence(text: string): Part {
  return text !== '' && html`<br>${text}`;
}

function byDataset(fields: readonly FieldDescription[]): readonly (readonly [string, readonly FieldDescription[]])[] {
  const groups = new Map<string, FieldDescription[]>();
  for (const field of fields) groups.set(field.dataset, [...(groups.get(field.dataset) ?? []), field]);
  return [...groups];
}

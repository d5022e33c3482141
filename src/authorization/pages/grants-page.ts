import type { GrantOverview } from '../consent-desk.ts';
import { html, type Html, type Part } from './html.ts';
import { dayText, texts, type Texts } from './language.ts';
import { csrfField, document, problemNote, type PageFrame } from './layout.ts';

export type GrantAction = 'pause' | 'resume' | 'revoke';

/** Everything the enterprise consented to, with what it can do about it. */
export function grantsPage(frame: PageFrame, page: { readonly grants: readonly GrantOverview[]; readonly done?: GrantAction; readonly problem?: string; readonly passkeys: boolean }): Html {
  const t = texts[frame.language];
  return document(frame, t.myConsents, html`${problemNote(page.problem)}
${page.done !== undefined && html`<p role="status" class="done">${t.done[page.done]}</p>`}
${page.grants.length === 0 ? html`<p>${t.noConsents}</p>` : page.grants.map((grant) => grantCard(frame, grant, t))}
${page.passkeys && html`<p><a href="${frame.base}/passkeys">${t.passkeys}</a></p>`}`);
}

function grantCard(frame: PageFrame, grant: GrantOverview, t: Texts): Html {
  const path = `${frame.base}/consents/${encodeURIComponent(grant.id)}`;
  return html`<section class="grant" aria-labelledby="g-${grant.id}">
<h2 id="g-${grant.id}"><bdi>${grant.institution}</bdi></h2>
<dl>
<dt>${t.purpose}</dt><dd><bdi>${grant.purpose}</bdi> <strong class="state ${grant.state}">${t.states[grant.state]}</strong></dd>
<dt>${t.grantedOn}</dt><dd>${dayText(grant.createdAtMs, frame.language)}</dd>
<dt>${t.validUntil}</dt><dd>${dayText(grant.validUntilMs, frame.language)}</dd>
<dt>${t.usesLeft}</dt><dd>${grant.usesLeft ?? t.unlimited}</dd>
</dl>
<details><summary>${t.fields} (${grant.fields.length})</summary><ul>${grant.fields.map((field) => html`<li><bdi>${field.title}</bdi>: ${field.gets}</li>`)}</ul></details>
<p class="choice"><a href="${path}/receipt">${t.receipt}</a></p>
${actions(frame, path, grant, t)}
</section>`;
}

function actions(frame: PageFrame, path: string, grant: GrantOverview, t: Texts): Part {
  const button = (action: GrantAction) => html`<form method="post" action="${path}/${action}">${csrfField(frame)}<button class="quiet">${t[action]}</button></form>`;
  switch (grant.state) {
    case 'active':
      return html`<div class="choice">${button('pause')}${sure(button('revoke'), t)}</div>`;
    case 'paused':
      return html`<div class="choice">${button('resume')}${sure(button('revoke'), t)}</div>`;
    case 'revoked':
    case 'exhausted':
    case 'expired':
      return null;
    default:
      return grant.state satisfies never;
  }
}

/** What cannot be undone takes a second click; works without script. */
function sure(button: Html, t: Texts): Html {
  return html`<details><summary>${t.revoke}</summary><p>${t.revokeSure}</p>${button}</details>`;
}

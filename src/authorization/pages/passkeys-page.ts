import { passwordLengthMax } from '../passwords.ts';
import type { Passkey } from '../passkeys.ts';
import { html, type Html } from './html.ts';
import { dayText, texts, type Texts } from './language.ts';
import { csrfField, document, inputField, problemNote, type PageFrame } from './layout.ts';

/** The passkeys of an account, to add and remove. `options`: for navigator.credentials.create; absent when there is no room for another. */
export function passkeysPage(frame: PageFrame, page: { readonly passkeys: readonly Passkey[]; readonly options?: object; readonly done?: boolean; readonly problem?: string }): Html {
  const t = texts[frame.language];
  return document(frame, t.passkeys, html`<p>${t.passkeysLead}</p>
${problemNote(page.problem)}
${page.done === true && html`<p role="status" class="done">${t.passkeyDone}</p>`}
${page.passkeys.map((passkey) => passkeyCard(frame, passkey, t))}
${page.options !== undefined && html`${scriptNotes(t)}
<form method="post" action="${frame.base}/passkeys" data-passkey="add" data-options="${JSON.stringify(page.options)}" hidden>
${csrfField(frame)}<input type="hidden" name="credential" value="">
${inputField({ name: 'password', label: t.password, type: 'password', autocomplete: 'current-password', hint: t.passkeyPassword, maxLength: passwordLengthMax })}
<p><button>${t.passkeyAdd}</button></p>
</form>
${passkeyScript(frame)}`}`);
}

function passkeyCard(frame: PageFrame, { credentialId, createdAtMs, lastUsedAtMs }: Passkey, t: Texts): Html {
  return html`<section class="grant"><dl>
<dt>${t.passkeyAddedOn}</dt><dd>${dayText(createdAtMs, frame.language)}</dd>
<dt>${t.passkeyUsedOn}</dt><dd>${lastUsedAtMs === null ? '–' : dayText(lastUsedAtMs, frame.language)}</dd>
</dl>
<details><summary>${t.passkeyRemove}</summary>
<form method="post" action="${frame.base}/passkeys/removal">${csrfField(frame)}<input type="hidden" name="passkey" value="${credentialId}">
${inputField({ name: 'password', id: `password-${credentialId}`, label: t.password, type: 'password', autocomplete: 'current-password', hint: t.passkeyRemovePassword, maxLength: passwordLengthMax })}
<button class="quiet">${t.passkeyRemove}</button></form></details></section>`;
}

/** `options`: for navigator.credentials.get. */
export function passkeySignInPage(frame: PageFrame, page: { readonly to: string; readonly options: object; readonly problem?: string }): Html {
  const t = texts[frame.language];
  return document(frame, t.passkeySignIn, html`${problemNote(page.problem)}
${scriptNotes(t)}
<form method="post" action="${frame.base}/sign-in/passkey" data-passkey="sign-in" data-options="${JSON.stringify(page.options)}" hidden>
${csrfField(frame)}<input type="hidden" name="to" value="${page.to}"><input type="hidden" name="credential" value="">
<p><button>${t.passkeySignIn}</button></p>
</form>
<p><a href="${frame.base}/sign-in?to=${encodeURIComponent(page.to)}">${t.passkeyInstead}</a></p>
${passkeyScript(frame)}`);
}

/** What the script shows or hides; without script the first one stays. */
export function scriptNotes(t: Texts): Html {
  return html`<p class="problem" data-unsupported>${t.passkeyUnsupported}</p>
<p class="problem" role="alert" data-failed hidden>${t.passkeyFailed}</p>`;
}

export function passkeyScript(frame: PageFrame): Html {
  return html`<script src="${frame.base}/assets/passkeys.js" defer></script>`;
}

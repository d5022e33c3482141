import type { Enrolment } from '../one-time-passwords.ts';
import { oneTimePasswordField } from './account-forms.ts';
import { html, type Html } from './html.ts';
import { texts } from './language.ts';
import { csrfField, document, problemNote, type PageFrame } from './layout.ts';
import { passkeyScript, scriptNotes } from './passkeys-page.ts';
import { qrCode } from './qr-code.ts';

/**
 * The choice of a second factor, before an account works. `to`: where to go then.
 * `passkeyOptions`: for navigator.credentials.create; absent where passkeys cannot work.
 */
export function secondFactorPage(frame: PageFrame, page: { readonly to: string; readonly app: Enrolment; readonly passkeyOptions?: object; readonly problem?: string }): Html {
  const t = texts[frame.language];
  const { app, passkeyOptions } = page;
  const hidden = html`${csrfField(frame)}<input type="hidden" name="to" value="${page.to}">`;
  return document(frame, t.factor, html`<p>${t.factorLead}</p>
${problemNote(page.problem)}
<section class="grant"><h2>${t.factorApp}</h2>
<p>${t.factorAppLead}</p>
${qrCode(app.uri, t.factorQr, 'M')}
<dl><dt>${t.factorSecret}</dt><dd><code>${app.secret.replaceAll(/.{4}(?=.)/g, '$& ')}</code></dd></dl>
<form method="post" action="${frame.base}/second-factor">
${hidden}
${oneTimePasswordField(t)}
<p><button>${t.factorEnrol}</button></p>
</form></section>
${passkeyOptions !== undefined && html`<section class="grant"><h2>${t.factorPasskey}</h2>
<p>${t.passkeysLead}</p>
${scriptNotes(t)}
<form method="post" action="${frame.base}/second-factor/passkey" data-passkey="add" data-options="${JSON.stringify(passkeyOptions)}" hidden>
${hidden}<input type="hidden" name="credential" value="">
<p><button>${t.factorPasskeyAdd}</button></p>
</form></section>
${passkeyScript(frame)}`}`);
}

import { passwordLengthMax } from '../passwords.ts';
import { html, type Html } from './html.ts';
import { texts, type Texts } from './language.ts';
import { csrfField, document, inputField, problemNote, type PageFrame } from './layout.ts';

/** Where to go after signing in; a path of ours, checked before it is followed. */
type Onward = { readonly to: string };

/** Where one is needed, it is asked for beside the password: one answer for whatever is wrong. `passkeys`: whether this server can be signed in to with one. */
export function signInPage(frame: PageFrame, form: Onward & { readonly username: string; readonly passkeys: boolean; readonly problem?: string }): Html {
  const t = texts[frame.language];
  return document(frame, t.signIn, html`<p>${t.signInLead}</p>
${problemNote(form.problem)}
<form method="post" action="${frame.base}/sign-in">
${csrfField(frame)}<input type="hidden" name="to" value="${form.to}">
${inputField({ name: 'username', label: t.username, autocomplete: 'username', value: form.username, maxLength: 64 })}
${inputField({ name: 'password', label: t.password, type: 'password', autocomplete: 'current-password', maxLength: passwordLengthMax })}
${oneTimePasswordField(t, { optional: true, hint: t.oneTimePasswordHint })}
<p><button>${t.signIn}</button></p>
</form>
${form.passkeys && html`<p><a href="${frame.base}/sign-in/passkey?to=${encodeURIComponent(form.to)}">${t.passkeySignIn}</a></p>
`}<p><a href="${frame.base}/activation?to=${encodeURIComponent(form.to)}">${t.noAccount}</a></p>`);
}

export function activationPage(frame: PageFrame, form: Onward & { readonly holder: string; readonly username: string; readonly problem?: string }): Html {
  const t = texts[frame.language];
  return document(frame, t.activate, html`<p>${t.activateLead}</p>
${problemNote(form.problem)}
<form method="post" action="${frame.base}/activation">
${csrfField(frame)}<input type="hidden" name="to" value="${form.to}">
${inputField({ name: 'holder', label: t.holder, value: form.holder, maxLength: 64 })}
${inputField({ name: 'code', label: t.code, maxLength: 40 })}
${inputField({ name: 'username', label: t.username, autocomplete: 'username', hint: t.usernameHint, value: form.username, maxLength: 64 })}
${inputField({ name: 'password', label: t.password, type: 'password', autocomplete: 'new-password', hint: t.passwordHint, maxLength: passwordLengthMax })}
${inputField({ name: 'password_again', label: t.passwordAgain, type: 'password', autocomplete: 'new-password', maxLength: passwordLengthMax })}
<p><button>${t.activate}</button></p>
</form>
<p><a href="${frame.base}/sign-in?to=${encodeURIComponent(form.to)}">${t.haveAccount}</a></p>`);
}

/** A new password for the old one. `passkeys`: as above. */
export function passwordPage(frame: PageFrame, page: { readonly passkeys: boolean; readonly done?: boolean; readonly problem?: string }): Html {
  const t = texts[frame.language];
  return document(frame, t.passwordChange, html`<p>${t.passwordChangeLead}</p>
${problemNote(page.problem)}
${page.done === true && html`<p role="status" class="done">${t.passwordChanged}</p>`}
<form method="post" action="${frame.base}/password">
${csrfField(frame)}
${inputField({ name: 'password', label: t.passwordNow, type: 'password', autocomplete: 'current-password', maxLength: passwordLengthMax })}
${inputField({ name: 'new_password', label: t.passwordNew, type: 'password', autocomplete: 'new-password', hint: t.passwordHint, maxLength: passwordLengthMax })}
${inputField({ name: 'password_again', label: t.passwordAgain, type: 'password', autocomplete: 'new-password', maxLength: passwordLengthMax })}
<p><button>${t.passwordChange}</button></p>
</form>
${page.passkeys && html`<p><a href="${frame.base}/passkeys">${t.passkeys}</a></p>`}`);
}

export function oneTimePasswordField(t: Texts, more: { readonly optional?: boolean; readonly hint?: string } = {}): Html {
  return inputField({ name: 'one_time_password', label: t.oneTimePassword, autocomplete: 'one-time-code', inputMode: 'numeric', maxLength: 10, ...more });
}

export function errorPage(frame: PageFrame, problem: { readonly sentence: string; readonly code: string }): Html {
  const t = texts[frame.language];
  return document(frame, t.errorTitle, html`<p role="alert">${problem.sentence}</p>
<p class="code">${t.errorCode}: <code>${problem.code}</code></p>`);
}

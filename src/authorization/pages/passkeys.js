// The only script of these pages: hands the page's options to the browser and sends back what the passkey signed.
'use strict';
for (const form of document.querySelectorAll('form[data-passkey]')) {
  const unsupported = typeof PublicKeyCredential !== 'function' || typeof PublicKeyCredential.parseCreationOptionsFromJSON !== 'function';
  document.querySelector('[data-unsupported]').hidden = !unsupported;
  form.hidden = unsupported;
  form.addEventListener('submit', async (event) => {
    if (form.elements.credential.value !== '') return;
    event.preventDefault();
    const failed = document.querySelector('[data-failed]');
    failed.hidden = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const credential = form.dataset.passkey === 'add'
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
}

import { strict as assert } from 'node:assert';

export type Page = { readonly url: URL; readonly status: number; readonly headers: Headers; readonly html: string; readonly forms: readonly PageForm[] };
/** Fields as a browser would send them: a list, because names may repeat. */
export type PageForm = { readonly action: URL; readonly fields: readonly (readonly [string, string])[] };

/** A browser without script: keeps cookies, follows redirects on its own origin, fills in forms it finds. */
export class Browser {
  readonly #cookies = new Map<string, { name: string; value: string; path: string }>();
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(origin: string, headers: Readonly<Record<string, string>> = { 'accept-language': 'en' }) {
    this.#origin = new URL(origin).origin;
    this.#headers = headers;
  }

  async open(address: string | URL): Promise<Page> {
    return this.#go('GET', new URL(address, this.#origin));
  }

  /** Sends a form of the page after changing fields; a list sends a name several times, null leaves it out. */
  async submit(page: Page, changes: Readonly<Record<string, string | readonly string[] | null>>, options: { readonly form?: number; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<Page> {
    const form = page.forms[options.form ?? page.forms.findIndex(({ action }) => !action.pathname.endsWith('/sign-out'))];
    assert.ok(form, `no form on ${page.url.pathname}: ${page.html.slice(0, 2000)}`);
    const body = new URLSearchParams(form.fields.filter(([name]) => !(name in changes)).map(([name, value]): [string, string] => [name, value]));
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) continue;
      for (const one of typeof value === 'string' ? [value] : value) body.append(name, one);
    }
    return this.post(form.action, body, options.headers);
  }

  async post(address: string | URL, body: URLSearchParams | string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.#go('POST', new URL(address, this.#origin), body, { origin: this.#origin, 'sec-fetch-site': 'same-origin', ...headers });
  }

  cookie(name: string): string | undefined {
    return [...this.#cookies.values()].find((cookie) => cookie.name === name)?.value;
  }

  setCookie(name: string, value: string, path = '/'): void {
    this.#cookies.set(`${name} ${path}`, { name, value, path });
  }

  async #go(method: string, url: URL, body?: URLSearchParams | string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    let [at, how, content] = [url, method, body];
    for (let hop = 0; hop < 10; hop += 1) {
      const response = await fetch(at, {
        method: how,
        redirect: 'manual',
        headers: {
          ...this.#headers,
          cookie: this.#cookiesFor(at),
          ...(how === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded', ...headers } : {}),
        },
        ...(content === undefined ? {} : { body: content.toString() }),
      });
      this.#keep(response.headers.getSetCookie());
      const location = response.headers.get('location');
      const html = await response.text();
      if (location === null) return { url: at, status: response.status, headers: response.headers, html, forms: readForms(html, at) };
      [at, how, content] = [new URL(location, at), 'GET', undefined];
      // the institution's own page is not ours to load
      if (at.origin !== this.#origin) return { url: at, status: response.status, headers: response.headers, html: '', forms: [] };
    }
    throw new Error('too many redirects');
  }

  #cookiesFor(url: URL): string {
    return [...this.#cookies.values()]
      .filter(({ path }) => path === '/' || url.pathname === path || url.pathname.startsWith(`${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
      const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice(8);
      if (value === '' || (expires !== undefined && Date.parse(expires) < Date.now())) this.#cookies.delete(`${name} ${path}`);
      else this.setCookie(name, value, path);
    }
  }
}

function readForms(html: string, url: URL): PageForm[] {
  return [...html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].map(([, action = '', content = '']) => ({
    action: new URL(unescaped(action), url),
    fields: [...inputs(content), ...selects(content)],
  }));
}

function inputs(html: string): [string, string][] {
  return [...html.matchAll(/<input\b[^>]*>/g)].flatMap(([tag]): [string, string][] => {
    const name = attribute(tag, 'name');
    if (name === undefined || (attribute(tag, 'type') === 'checkbox' && !/\schecked\b/.test(tag))) return [];
    return [[name, attribute(tag, 'value') ?? '']];
  });
}

function selects(html: string): [string, string][] {
  return [...html.matchAll(/(<select\b[^>]*>)([\s\S]*?)<\/select>/g)].flatMap(([, tag = '', options = '']): [string, string][] => {
    const selected = /<option\b[^>]*selected[^>]*>/.exec(options)?.[0];
    const name = attribute(tag, 'name');
    return name === undefined || selected === undefined ? [] : [[name, attribute(selected, 'value') ?? '']];
  });
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescaped(found);
}

function unescaped(text: string): string {
  return text.replace(/&#([0-9]+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

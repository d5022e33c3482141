import { strict as assert } from 'node:assert';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserContext, Page } from 'playwright-core';
import { redirectUri } from '../support/gateway.ts';
import { startEnterpriseStage, subject, terms, type EnterpriseStage } from './support/enterprise-stage.ts';
import { signedIn } from './support/people.ts';

/**
 * A page of somebody else that shows other pages inside itself, to have people press what they do not see. It is another origin, but to cookies
 * (which know no ports) the same site: the browser sends the session along.
 */
describe('a page of another origin that frames ours', function () {
  this.timeout(60_000);
  let stage: EnterpriseStage;
  let foreign: Server;
  let context: BrowserContext;
  let page: Page;
  const harmless = '<!doctype html><title>harmless</title><p>harmless</p>';

  before(async function () {
    const opened = await startEnterpriseStage();
    if (opened === undefined) return this.skip();
    stage = opened;
    foreign = createServer((_request, response) => void response.setHeader('content-type', 'text/html').end(harmless));
    await new Promise<void>((resolve) => { foreign.listen(0, '127.0.0.1', resolve); });
    context = await stage.browser.newContext({ locale: 'en-GB' });
    await signedIn(context, stage.platform, stage.person);
    page = await context.newPage();
    return undefined;
  });
  after(async () => {
    await context?.close();
    foreign?.close();
    await stage?.close();
  });

  const foreignOrigin = () => `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`;
  /** The foreign page with this address inside it. */
  const framed = async (address: string, element: 'iframe' | 'object' | 'embed') => {
    await page.goto(foreignOrigin());
    await page.evaluate(`document.body.append(Object.assign(document.createElement('${element}'), { ${element === 'object' ? 'data' : 'src'}: ${JSON.stringify(address)}, type: 'text/html' }))`);
  };

  it('shows what lets itself be framed, with the cookies of the browser', async () => {
    await framed(`${foreignOrigin()}/other`, 'iframe');
    await page.frameLocator('iframe').getByText('harmless').waitFor();
    const asked = page.waitForRequest((request) => request.url().startsWith(stage.platform.gateway.issuerUrl));
    await framed(`${stage.platform.gateway.issuerUrl}/console/`, 'iframe');
    assert.match((await (await asked).allHeaders())['cookie'] ?? '', /veilgate_session=/);
  });

  it('shows nothing of the console, of the pages for signing in, of the account or of a consent', async () => {
    const { issuerUrl } = stage.platform.gateway;
    const pending = await stage.bank.requestConsent({ ...terms, subject }, redirectUri);
    const own = await context.newPage();
    await own.goto(pending.url);
    await own.getByRole('button', { name: 'Consent' }).waitFor();
    const addresses = ['/console/', '/console/enterprise/grants', '/sign-in', '/activation', '/password', '/consents'].map((path) => issuerUrl + path);
    for (const address of [...addresses, own.url()]) for (const element of ['iframe', 'object', 'embed'] as const) {
      const refused = page.waitForEvent('requestfailed', { predicate: (request) => request.url() === address, timeout: 10_000 });
      await framed(address, element);
      assert.equal((await refused).failure()?.errorText, 'net::ERR_BLOCKED_BY_RESPONSE', `${element} of ${address}`);
    }
    await own.close();
  });
});

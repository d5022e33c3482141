import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import path from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { composeServices } from '../../src/gateway/composition.ts';
import { openPolicySource } from '../../src/gateway/policy-source.ts';
import { readConfig } from '../../src/gateway/config.ts';
import { createMetrics } from '../../src/gateway/metrics.ts';
import { problemOf } from '../../src/gateway/problem.ts';
import { queryRoutes } from '../../src/gateway/resources/queries.ts';
import type { Services } from '../../src/gateway/resources/services.ts';
import { openKeyring } from '../../src/identity/keyring.ts';
import type { AnyRequest } from '../../src/gateway/route.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import { auditorClient } from '../../src/sdk/auditor.ts';
import { startWorld, subject, terms, type World } from './support/world.ts';

const query = { subject, purpose: terms.purpose, read: ['registry.name', 'tax.period'] };

describe('flow: the receipt cannot be signed', () => {
  let world: World;
  let services: Services;
  /** What the next signature does. */
  let failing = true;

  before(async function () {
    this.timeout(60_000);
    world = await startWorld();
    const { platform: { database, folder, gateway: { gatewayUrl, issuerUrl } } } = world;
    const config = readConfig({ DATABASE_URL: database.url, VEILGATE_KEYS_FOLDER: path.join(folder, 'keys') });
    const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
    const keyring = openKeyring(config.keysFolder, systemClock);
    const sign: typeof keyring.gatewaySigner.sign = async (typ, payload) => {
      if (failing) throw new Error(`the key store is gone, with ${JSON.stringify(payload)}`);
      return keyring.gatewaySigner.sign(typ, payload);
    };
    services = await composeServices({
      config, database, catalogue, gatewayUrl, issuerUrl, keyring: { ...keyring, gatewaySigner: { ...keyring.gatewaySigner, sign } },
      standing: (await openPolicySource(config, database, catalogue, systemClock)).standing, metrics: createMetrics({}), clock: systemClock, custodian: undefined,
    });
  });
  after(async () => {
    await services.scoring.close();
    await world.platform.close();
  });

  /** A query through the gateway's own handler, as the bank sends it. */
  async function ask(body: string): Promise<unknown> {
    const token = await world.bank.token();
    const dpop = await world.bank.proof({ method: 'POST', path: '/v1/queries', token });
    const proof = { authorization: `DPoP ${token}`, dpop, method: 'POST', url: `${world.platform.gateway.gatewayUrl}/v1/queries` };
    const handler = queryRoutes(services).find(({ path: of }) => of === '/v1/queries')?.handler;
    return handler?.({ proof, body, payload: (claims: unknown) => claims, admit: async () => {} } as unknown as AnyRequest); // only what this handler uses
  }
  const usesOf = async () => (await world.platform.database.query<{ uses: number }>('select uses_total as uses from consent_grant where id = $1', [world.grant])).rows[0]?.uses;

  it('tells the bank that it failed, tells the log that it was released, and never both that and refused', async () => {
    const [before, uses] = [(await world.entries()).length, await usesOf()];
    const body = await world.bank.signed('query+jwt', { query });
    const problem = await ask(body).then(() => assert.fail('answered'), (error: unknown) => problemOf(error, { requestId: 'r' as never, dpop: { algorithms: '', resourceMetadataUrl: '', nonce: () => undefined } }));
    assert.deepEqual([problem.code, problem.status], ['INTERNAL', 500]);
    assert.ok(!problem.body.includes(subject) && !problem.body.includes('key store'));
    const added = (await world.entries()).slice(before);
    assert.deepEqual(added.map(({ kind, subject: of, institution }) => [kind, of, institution]), [['query.released', subject, 'bank-a']]);
    assert.equal(await usesOf(), (uses ?? 0) + 1, 'spent once');
  });

  it('lets the bank find out by itself: its own list has the entry, with the digest of what it sent; the enterprise sees the same', async () => {
    const body = await world.bank.signed('query+jwt', { query });
    await assert.rejects(ask(body));
    const index = (await world.entries()).at(-1)?.index ?? -1;
    const bank = await auditorClient(await world.platform.connect('bank-a', 'query')).entry(index);
    assert.deepEqual([bank.kind, bank.record?.['request']], ['query.released', hash('sha256', body)]);
    const { accesses } = (await world.wire((await world.platform.database.query<{ id: string }>('select id from enterprise where subject = $1', [subject])).rows[0]?.id ?? '', 'grants').then((wire) => wire.get('/v1/accesses?limit=1'))).json as { accesses: { index: number; record: object }[] };
    assert.deepEqual([accesses[0]?.index, accesses[0]?.record], [index, bank.record]);
  });

  it('answers the same question anew once it can sign again, and the lost one never', async () => {
    const body = await world.bank.signed('query+jwt', { query });
    await assert.rejects(ask(body));
    failing = false;
    await assert.rejects(ask(body), { code: 'TOKEN_REPLAYED' });
    const answer = await ask(await world.bank.signed('query+jwt', { query })) as { readonly status: number; readonly content: Uint8Array };
    assert.equal(answer.status, 200);
    assert.match((JSON.parse(Buffer.from(answer.content).toString()) as { readonly receipt: string }).receipt, /^eyJ/);
  });
});

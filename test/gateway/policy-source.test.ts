import { strict as assert } from 'node:assert';
import path from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { systemClock } from '../../src/clock.ts';
import { createPartyGate } from '../../src/gateway/use-cases/party-gate.ts';
import { openPolicySource } from '../../src/gateway/policy-source.ts';
import { approve, judgeChange, propose, type PolicyDesk } from '../../src/gateway/use-cases/policy-versions.ts';
import { bootstrapOfficers } from '../../src/identity/registry/staff.ts';
import type { ReloadReport } from '../../src/policy/holder.ts';
import { readVersion } from '../../src/policy/store/registry.ts';
import { loadCatalogue } from '../../src/source/catalogue.ts';
import type { Database } from '../../src/store/database.ts';
import type { PartyId } from '../../src/vocabulary.ts';
import { freshDatabase } from '../support/database.ts';
import { root } from '../support/sources.ts';

const policyFolder = path.join(root, 'policies');
const config = { policySource: 'database', policyFolder } as const;
const catalogue = loadCatalogue(path.join(policyFolder, 'catalogue'));
const [author, reviewer] = ['officer-a', 'officer-b'] as unknown as [PartyId, PartyId];

describe('where a process gets its policy from', () => {
  let database: Database;
  let desk: PolicyDesk;
  const open = () => openPolicySource(config, database, catalogue, systemClock);
  const inForce = async () => (await readVersion(database, 'in_force')).number;

  /** Two officers decide, and the process that served them dies before anything came into force. */
  async function approvedUnenforced(text: string): Promise<number> {
    const files = (await readVersion(database, 'in_force')).files;
    const change = await judgeChange(desk, { basis: await inForce(), files: { changes: { 'rules/tax.yaml': `${files['rules/tax.yaml'] ?? ''}${text}` } }, comment: 'x', effectiveMs: null }, author);
    const { number, digest } = await database.transaction('propose', (tx) => propose(desk, tx, change));
    await database.transaction('approve', (tx) => approve(desk, tx, reviewer, { number, digest, comment: 'fine' }));
    return number;
  }

  before(async function () {
    this.timeout(60_000);
    database = await freshDatabase({ maxConnections: 4 });
    const officers = await Promise.all([author, reviewer].map(async (id) => {
      const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
      return { id, roles: ['compliance'] as const, name: { en: id, zh: id }, key: await exportJWK(publicKey) };
    }));
    await database.transaction('officers', (tx) => bootstrapOfficers(tx, officers, systemClock));
  });
  after(() => database.close());

  it('takes the pack of the folder into an empty database, once for all that start together', async () => {
    const sources = await Promise.all([open(), open(), open()]);
    assert.equal(new Set(sources.map(({ holder }) => holder.current().version)).size, 1);
    const { rows } = await database.query<{ versions: number; logged: number }>("select (select count(*) from policy_version)::int as versions, (select count(*) from audit_entry where kind = 'policy.in_force')::int as logged");
    assert.deepEqual(rows, [{ versions: 1, logged: 1 }]);
    const source = sources[0];
    assert.ok(source);
    desk = { database, clock: systemClock, catalogue, source: 'database', policy: () => source.holder.current(), pickUp: source.standing.follow, inTurn: createPartyGate(1, 16) };
  });

  it('puts into force what a process approved that died before it could, at its start or its next look', async () => {
    const running = await open();
    const first = await approvedUnenforced('# one\n');
    assert.notEqual(await inForce(), first);
    await open();
    assert.equal(await inForce(), first, 'the next process to start does it');
    const second = await approvedUnenforced('# two\n');
    await running.standing.follow();
    assert.equal(await inForce(), second, 'one that runs does it');
  });

  it('keeps the version before when the approved one does not load, says so once, and starts with it', async () => {
    const running = await open();
    const reports: ReloadReport[] = [];
    const stop = running.watch((report) => { reports.push(report); });
    const before = running.holder.current().version;
    const number = await approvedUnenforced('# three\n');
    await database.query("update policy_version set files = replace(files, 'dataset: tax', 'dataset: taxes') where number = $1", [number]);
    await running.standing.follow();
    await running.standing.follow();
    stop();
    assert.deepEqual(reports.map(({ outcome }) => outcome), ['kept']);
    assert.notEqual(await inForce(), number);
    assert.equal(running.holder.current().version, before);
    assert.equal((await open()).holder.current().version, before);
  });
});

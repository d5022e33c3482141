import { strict as assert } from 'node:assert';
import { admitGrants } from '../../src/consent/admit.ts';
import { grantHistory } from '../../src/consent/events.ts';
import { expireGrants } from '../../src/consent/expire.ts';
import { fixedClock } from '../../src/clock.ts';
import { changeGrant, readGrant, type GrantAction } from '../../src/consent/grants.ts';
import type { Database } from '../../src/store/database.ts';
import { freshDatabase } from '../support/database.ts';
import type { TimeMs } from '../../src/vocabulary.ts';
import { bank, codeOf, dayMs, start, startMs, stored, subject } from './sample.ts';

describe('consent/expire', () => {
  let database: Database;
  before(async () => { database = await freshDatabase(); });
  const expire = (atMs: number) => database.transaction('t', (tx) => expireGrants(tx, atMs as TimeMs));
  const change = (grant: { id: never }, action: GrantAction) => database.transaction('t', (tx) => changeGrant(tx, { grant: grant.id, actor: { subject }, action }, fixedClock(start)));

  it('marks active and paused grants whose time is over, once, and leaves the rest alone', async () => {
    const [active, paused, revoked, longer] = [await stored(database), await stored(database), await stored(database), await stored(database, { validFromMs: startMs, validUntilMs: (startMs + 100 * dayMs) as TimeMs })];
    await change(paused as never, 'pause');
    await change(revoked as never, 'revoke');
    const end = startMs + 90 * dayMs;
    assert.deepEqual(await expire(end - 1), []);
    const events = await expire(end);
    assert.deepEqual(events.map(({ grant }) => grant).sort(), [active.id, paused.id].sort());
    assert.deepEqual(events.find(({ grant }) => grant === active.id), { grant: active.id, institution: bank, subject, purpose: active.purpose, kind: 'expired', actor: { platform: true }, atMs: end });
    assert.deepEqual(await expire(end), []);
    const refused = await admitGrants(database, [{ institution: bank, subject, purpose: active.purpose, grant: active.id, atMs: end as TimeMs }]);
    assert.deepEqual(refused.map(codeOf), ['CONSENT_EXPIRED']);
    const states = await Promise.all([active, paused, revoked, longer].map(async ({ id }) => (await readGrant(database, id, { subject }, end as TimeMs)).state));
    assert.deepEqual(states, ['expired', 'expired', 'revoked', 'active']);
    assert.deepEqual((await grantHistory(database, active.id)).map(({ kind, actorKind }) => [kind, actorKind]), [['granted', 'subject'], ['expired', 'platform']]);
  });
});

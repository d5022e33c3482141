import { strict as assert } from 'node:assert';
import { fixedClock } from '../../../src/clock.ts';
import { expireAndLog } from '../../../src/gateway/use-cases/grant-expiry.ts';
import { openDatabase, type Database } from '../../../src/store/database.ts';
import { bank, dayMs, start, stored, subject } from '../../consent/sample.ts';
import { freshDatabase } from '../../support/database.ts';

describe('grants whose time is over', () => {
  let database: Database;
  beforeEach(async () => { database = await freshDatabase(); });
  const clock = fixedClock(start);
  clock.advanceMs(90 * dayMs);
  const logged = async () => (await database.query<{ record: string }>('select record from audit_entry order by index')).rows.map(({ record }) => JSON.parse(record) as Record<string, unknown>);
  const states = async () => (await database.query<{ state: string }>('select state from consent_grant')).rows.map(({ state }) => state);

  it('are marked and logged, each once, whichever nodes look for them', async () => {
    const grants = [await stored(database), await stored(database), await stored(database)];
    const nodes = [1, 2, 3].map(() => openDatabase({ url: database.url, maxConnections: 2 }));
    await Promise.all(nodes.map((node) => expireAndLog(node, clock)));
    await expireAndLog(database, clock);
    await Promise.all(nodes.map((node) => node.close()));
    const records = await logged();
    assert.deepEqual(records.map(({ grant }) => grant).sort(), grants.map(({ id }) => id).sort());
    assert.deepEqual(records[0], { v: 1, kind: 'grant.expired', at: new Date(clock.nowMs()).toISOString(), actor: 'platform', grant: records[0]?.['grant'], subject, institution: bank });
    assert.deepEqual(await states(), ['expired', 'expired', 'expired']);
  });

  it('are marked all of them, beyond what one statement takes', async () => {
    const first = await stored(database);
    const { rows: columns } = await database.query<{ name: string }>("select quote_ident(column_name) as name from information_schema.columns where table_name = 'consent_grant' and column_name <> 'id' and is_generated = 'NEVER' order by ordinal_position");
    const names = columns.map(({ name }) => name).join();
    await database.query(`insert into consent_grant (id, ${names}) select translate(encode(sha256(n::text::bytea), 'base64'), '+/=', '-_')::char(21) || 'A', ${names} from consent_grant, generate_series(1, 1500) n where id = $1`, [first.id]);
    await expireAndLog(database, clock);
    assert.equal((await logged()).length, 1501);
    assert.ok((await states()).every((state) => state === 'expired'));
  });

  it('are not marked when the log cannot say so', async () => {
    await stored(database);
    await database.query("create function fail() returns trigger language plpgsql as $$ begin raise exception 'full'; end $$");
    await database.query('create trigger fail before insert on audit_entry for each row execute function fail()');
    await assert.rejects(expireAndLog(database, clock), /full/);
    assert.deepEqual([await states(), await logged()], [['active'], []]);
  });
});

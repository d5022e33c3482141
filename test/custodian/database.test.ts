import { strict as assert } from 'node:assert';
import { openCustodianDatabase } from '../../src/custodian/database.ts';
import { custodianDatabaseUrl } from '../../src/gateway/custodian-child.ts';
import { freshDatabase } from '../support/database.ts';
import { refused } from '../identity/signing.ts';

describe('custodian: database', () => {
  const settings = (databaseUrl: string) => ({ databaseUrl, databaseFolder: 'unused', databaseTimeoutSeconds: 5 });

  it('is made when it is missing, once, however many start at the same moment; apart from the platform\'s', async () => {
    const platform = await freshDatabase();
    const url = custodianDatabaseUrl(platform.url);
    const opened = await Promise.all([1, 2, 3].map(() => openCustodianDatabase(settings(url))));
    const [first] = opened;
    const tables = (await first!.database.query<{ name: string }>("select table_name as name from information_schema.tables where table_schema = 'public' order by 1")).rows.map(({ name }) => name);
    assert.ok(tables.includes('custodian_ticket') && tables.includes('audit_entry'));
    assert.deepEqual(tables.filter((name) => !/^(custodian|audit)_|^schema_file$/.test(name)), [], 'nothing of the platform');
    assert.equal((await platform.query("select 1 from information_schema.tables where table_name like 'custodian%'")).rowCount, 0);
    await Promise.all(opened.map(({ close }) => close()));
    const again = await openCustodianDatabase(settings(url));
    await again.close();
  });

  it('says what to do when it is missing and the user may not make it, or nobody answers', async () => {
    const platform = await freshDatabase();
    const role = `poor_${process.pid}`;
    await platform.query(`create role ${role} login password 'twelve characters'`);
    const url = new URL(custodianDatabaseUrl(platform.url));
    url.username = role;
    url.password = 'twelve characters';
    assert.match((await refused(openCustodianDatabase(settings(url.href)), 'STORE_UNAVAILABLE')).message, /may not make it/);
    url.port = '1';
    await refused(openCustodianDatabase(settings(url.href)), 'STORE_UNAVAILABLE');
    await platform.query(`drop role ${role}`);
  });
});

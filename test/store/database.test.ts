import { strict as assert } from 'node:assert';
import { freshDatabase } from '../support/database.ts';

describe('store/database', () => {
  it('rolls a transaction back when its work throws', async () => {
    const database = await freshDatabase();
    await database.query('create table thing (n bigint not null)');
    await assert.rejects(database.transaction('insert and fail', async (tx) => {
      await tx.query('insert into thing values (1)');
      throw new Error('no');
    }), /no/);
    const { rows } = await database.query('select count(*) as n from thing');
    assert.equal(rows[0]?.n, 0);
  });
});

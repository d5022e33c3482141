import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendRecords } from '../../src/audit/append.ts';
import { eraseEntries } from '../../src/audit/erase.ts';
import type { AuditRecord } from '../../src/audit/entry.ts';
import { deleteRequestsBefore, readRequest, requestVault, type RequestVault } from '../../src/audit/request-vault.ts';
import type { SubjectId, TimeMs } from '../../src/vocabulary.ts';
import { digest, officer, refused, released, releases, startMs, tamper, testLog, type TestLog } from './support/log.ts';

const secret = randomBytes(32);
const vault = requestVault({ secrets: new Map([[1, secret]]), currentVersion: 1 });
/** Texts of the length and alphabet of compact JWS. */
const request = (name: string) => `${Buffer.from(name).toString('base64url')}.${'q'.repeat(900)}.${'s'.repeat(86)}`;
const asked = (name: string, changes = {}) => released({ request: digest(request(name)), ...changes });
const keep = (log: TestLog, records: readonly AuditRecord[], requests: readonly (string | undefined)[], using: RequestVault = vault) =>
  log.database.transaction('keep', (tx) => appendRecords(tx, records, { vault: using, requests }));
const unreadable = { code: 'AUDIT_REQUEST_UNREADABLE' };
const notKept = { code: 'AUDIT_REQUEST_NOT_FOUND' };

describe('signed requests beside their records', () => {
  it('are there for the entries they led to, and for no other', async () => {
    const log = await testLog();
    await log.append(releases(2));
    await keep(log, [asked('one'), released(), refused({ request: digest(request('three')) })], [request('one'), undefined, request('three')]);
    assert.equal(await readRequest(log.database, vault, 2), request('one'));
    assert.equal(await readRequest(log.database, vault, 4), request('three'));
    for (const index of [0, 3, 5]) await assert.rejects(readRequest(log.database, vault, index), notKept);
    assert.equal((await log.database.query('select from audit_request')).rowCount, 2);
  });

  it('take any length that a request may have', async () => {
    const log = await testLog();
    const texts = ['x', 'y'.repeat(131_072), 'z'.repeat(3000)];
    await keep(log, texts.map((text) => released({ request: digest(text) })), texts);
    for (const [index, text] of texts.entries()) assert.equal(await readRequest(log.database, vault, index), text);
  });

  it('are noise to whoever has the database: equal requests look unlike, none has a byte of itself in it', async () => {
    const log = await testLog();
    await keep(log, [asked('same'), asked('same')], [request('same'), request('same')]);
    const { rows } = await log.database.query<{ sealed: Buffer }>('select sealed from audit_request order by index');
    assert.notDeepEqual(rows[0]?.sealed, rows[1]?.sealed);
    for (const { sealed } of rows) {
      assert.equal(sealed.length, request('same').length + 16);
      assert.ok(!sealed.includes('qqqq') && new Set(sealed).size > 150);
    }
  });

  it('cannot be read with another secret, nor without the version they were encrypted under', async () => {
    const log = await testLog();
    await keep(log, [asked('one')], [request('one')]);
    await assert.rejects(readRequest(log.database, requestVault({ secrets: new Map([[1, randomBytes(32)]]), currentVersion: 1 }), 0), unreadable);
    await assert.rejects(readRequest(log.database, requestVault({ secrets: new Map([[2, secret]]), currentVersion: 2 }), 0), { ...unreadable, detail: { key_version: 1 } });
  });

  it('are read after a rotation as long as the older secret is kept', async () => {
    const log = await testLog();
    await keep(log, [asked('before')], [request('before')]);
    const rotated = requestVault({ secrets: new Map([[2, randomBytes(32)], [1, secret]]), currentVersion: 2 });
    await keep(log, [asked('after')], [request('after')], rotated);
    assert.deepEqual([await readRequest(log.database, rotated, 0), await readRequest(log.database, rotated, 1)], [request('before'), request('after')]);
    await assert.rejects(readRequest(log.database, vault, 1), unreadable);
  });

  it('cannot be changed, cut or put beside another entry unnoticed', async () => {
    const changes = {
      'a byte of the text': 'update audit_request set sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) where index = 0',
      'a byte of the tag': 'update audit_request set sealed = set_byte(sealed, octet_length(sealed) - 1, get_byte(sealed, octet_length(sealed) - 1) # 1) where index = 0',
      'a shorter text': 'update audit_request set sealed = substring(sealed for octet_length(sealed) - 1) where index = 0',
      'another entry\'s request': 'update audit_request set sealed = (select sealed from audit_request where index = 1) where index = 0',
      'another salt': 'update audit_entry set salt = (select salt from audit_entry where index = 1) where index = 0',
      'another commitment': 'update audit_entry set commitment = (select commitment from audit_entry where index = 1) where index = 0',
      'another record': "update audit_entry set record = replace(record, 'pre_loan_review', 'other') where index = 0",
    };
    for (const [name, statement] of Object.entries(changes)) {
      const log = await testLog();
      await keep(log, [asked('one'), asked('two')], [request('one'), request('two')]);
      await tamper(log.database, statement);
      // the record is the commitment's to hold together; the request is that of the digest in it
      if (name === 'another record') assert.equal(await readRequest(log.database, vault, 0), request('one'));
      else await assert.rejects(readRequest(log.database, vault, 0), unreadable, name);
      assert.equal(await readRequest(log.database, vault, 1), request('two'), name);
    }
    const log = await testLog();
    await keep(log, [asked('one')], [request('two')]);
    await assert.rejects(readRequest(log.database, vault, 0), unreadable, 'a record that names another request');
  });

  it('are never changed by mistake', async () => {
    const log = await testLog();
    await keep(log, [asked('one')], [request('one')]);
    for (const statement of ['update audit_request set key_version = 2', 'truncate audit_request']) await assert.rejects(log.database.query(statement), /append-only/);
  });

  it('go with the record that is erased, and could not be read if a copy of them were left', async () => {
    const log = await testLog();
    const other = '91110000600007390Y' as SubjectId;
    await keep(log, [asked('one'), asked('two', { subject: other })], [request('one'), request('two')]);
    const { rows: [copy] } = await log.database.query<{ sealed: Buffer }>('select sealed from audit_request where index = 1');
    await log.database.transaction('erase', (tx) => eraseEntries(tx, { of: { subject: other }, basis: 'subject_request', actor: officer, atMs: startMs }));
    await assert.rejects(readRequest(log.database, vault, 1), notKept);
    assert.deepEqual((await log.database.query('select index from audit_request')).rows, [{ index: 0 }]);
    await log.database.query('insert into audit_request (index, key_version, sealed) values (1, 1, $1)', [copy?.sealed]);
    await assert.rejects(readRequest(log.database, vault, 1), notKept);
    const { rows: [entry] } = await log.database.query<{ commitment: Buffer }>('select commitment from audit_entry where index = 1');
    assert.ok(copy && entry);
    assert.throws(() => vault.open({ keyVersion: 1, sealed: copy.sealed, salt: new Uint8Array(32), commitment: entry.commitment }), unreadable);
  });

  it('end with their time, oldest first, and leave the log as it is', async () => {
    const log = await testLog();
    const at = (days: number) => new Date(startMs + days * 86_400_000).toISOString();
    await keep(log, [0, 1, 2, 3].map((days) => asked(String(days), { at: at(days) })), [0, 1, 2, 3].map((days) => request(String(days))));
    assert.equal(await deleteRequestsBefore(log.database, startMs), 0);
    assert.equal(await deleteRequestsBefore(log.database, startMs + 2 * 86_400_000 as TimeMs), 2);
    assert.deepEqual((await log.database.query('select index from audit_request order by index')).rows, [{ index: 2 }, { index: 3 }]);
    await assert.rejects(readRequest(log.database, vault, 1), notKept);
    assert.equal((await log.database.query('select from audit_entry where record is not null')).rowCount, 4);
  });

  it('leave no trace when their transaction fails', async () => {
    const log = await testLog();
    await assert.rejects(log.database.transaction('fails', async (tx) => {
      await appendRecords(tx, [asked('one')], { vault, requests: [request('one')] });
      throw new Error('later');
    }), /later/);
    assert.equal((await log.database.query('select from audit_request')).rowCount, 0);
  });

  it('are derived as docs/formats/log.md says', () => {
    const [salt, commitment] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const example = requestVault({ secrets: new Map([[1, Buffer.alloc(32, 3)]]), currentVersion: 1 });
    const sealed = Buffer.concat([...example.seal('eyJ.eyJ.c2ln', salt, commitment)]);
    assert.equal(example.open({ keyVersion: 1, sealed, salt, commitment }), 'eyJ.eyJ.c2ln');
    assert.equal(sealed.toString('hex'), '53568ed512749d53bfd1af0b337374244d8cee981730a78f84eade66');
  });
});

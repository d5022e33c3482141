import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fixedClock } from '../../src/clock.ts';
import { VeilgateError } from '../../src/errors.ts';
import { createLog, faultFacts, type RequestId, type RouteTemplate } from '../../src/gateway/log.ts';
import { logEvents } from '../../src/gateway/log-events.ts';
import { RawRow, type FieldRef, type PartyId, type PolicyVersion, type SubjectId } from '../../src/vocabulary.ts';
import { until } from '../support/until.ts';
import { memoryLog } from './shell.ts';

const canary = 'CANARY-3f9b';
const request = '6b1e6a3e-0d8e-4b7e-9a55-0123456789ab' as string as RequestId;
const done = { method: 'POST', route: '/v1/queries' as string as RouteTemplate, status: 200, ms: 1.5, request } as const;

describe('gateway/log', () => {
  it('writes declared events as one JSON object a line', async () => {
    let written = '';
    const { Writable } = await import('node:stream');
    const log = createLog({ level: 'info', clock: fixedClock('2026-01-31T08:00:00Z'), stream: new Writable({ write: (chunk: Buffer, _encoding, next) => { written += chunk.toString(); next(); } }) });
    log.write('request.done', { ...done, party: 'bank-a' as PartyId, code: 'CONSENT_REQUIRED' });
    await log.close();
    assert.deepEqual(JSON.parse(written), { time: '2026-01-31T08:00:00.000Z', level: 'info', event: 'request.done', process: process.pid, ...done, code: 'CONSENT_REQUIRED', party: 'bank-a' });
  });

  it('does not compile with text, raw rows, errors, enterprises or members nobody declared', () => {
    const { log } = memoryLog();
    const row = new RawRow(new Map([['tax.revenue_cents' as FieldRef, 1]]));
    const subject = '91350211M000100Y43' as SubjectId;
    // @ts-expect-error text is no route
    log.write('request.done', { ...done, route: '/v1/queries/x' });
    // @ts-expect-error an enterprise is no party
    log.write('request.done', { ...done, party: subject });
    // @ts-expect-error a raw row is no fact
    log.write('request.done', { ...done, party: row });
    // @ts-expect-error an error is no fact
    log.write('process.fault', { kind: 'uncaught_exception', fault_name: new Error(canary) });
    // @ts-expect-error nobody declared it
    log.write('request.done', { ...done, message: canary });
    // @ts-expect-error nobody declared this event
    log.write('anything', {});
    // @ts-expect-error a fact is missing
    log.write('policy.loaded', { policy: 'a' as PolicyVersion });
  });

  it('drops at run time what slips past the types, in every fact of every event', () => {
    const { log, text, lines } = memoryLog();
    const strays: readonly unknown[] = [canary, `${canary} with blanks`, [canary], { canary }, new Error(canary), new RawRow(new Map([['a.b' as FieldRef, canary]])), { toJSON: () => canary }, Number.NaN, `/v1/${canary}`, `${canary}:1:1`, [`${canary}.ts`]];
    for (const [event, { facts }] of Object.entries(logEvents)) {
      for (const stray of strays) {
        // what could only be a mistake of a program without types
        log.write(event as 'gateway.stopped', { ...Object.fromEntries(Object.keys(facts).map((name) => [name, name === 'party' ? `${canary}?` : stray])), [canary]: canary, message: canary } as unknown as { cut_off: number });
      }
    }
    assert.ok(lines().length > 200);
    assert.ok(!text().includes('CANARY'), text().split('\n').find((line) => line.includes('CANARY')) ?? '');
  });

  it('never takes an enterprise for a party, nor a path for a route', () => {
    const { log, lines } = memoryLog();
    log.write('request.done', { ...done, party: '91350211M000100Y43' as PartyId, route: '/v1/enterprises/91350211M000100Y43' as string as RouteTemplate });
    assert.deepEqual([lines()[0]?.['party'], lines()[0]?.['route']], [null, null]);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = memoryLog('info');
    log.write('idempotency.purged', { keys: 1 });
    assert.equal(lines().length, 0);
  });

  it('keeps kind and place of a fault, never its message, even one that imitates a stack', () => {
    const imitation = new Error(`x\n    at ${canary} (file:///${canary}.ts:1:1)\n    at ${canary} (${path.join(import.meta.dirname, canary)}:1:1)\n    at node:${canary}:1:1`);
    const sql = Object.assign(new Error(`duplicate key value (${canary})`), { name: 'error', code: '23505', detail: canary });
    const named = Object.assign(new Error('x'), { name: canary, code: canary });
    for (const error of [imitation, sql, named, new VeilgateError('CONSENT_REQUIRED', canary), canary, { stack: canary }, null]) assert.ok(!JSON.stringify(faultFacts(error)).includes('CANARY'));
    assert.deepEqual([faultFacts(sql).fault_name, faultFacts(sql).fault_code], ['error', '23505']);
    assert.equal(faultFacts(new VeilgateError('CONSENT_REQUIRED', 'x')).fault_code, 'CONSENT_REQUIRED');
    assert.match(String(faultFacts(imitation).frames?.[0]), /^test\/gateway\/log\.test\.ts:/);
    assert.equal(faultFacts(named).fault_name, undefined);
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'ERR_INVALID_ARG_TYPE', '57P01']) assert.equal(faultFacts(Object.assign(new Error(), { code })).fault_code, code);
    for (const code of ['EMILY', 'SMITH', '91350211M000100Y43']) assert.equal(faultFacts(Object.assign(new Error(), { code })).fault_code, undefined);
  });

  it('writes to a file that its owner alone can read', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-log-'));
    const file = path.join(folder, 'gateway.log');
    const log = createLog({ level: 'info', file });
    log.write('gateway.stopped', { cut_off: 0 });
    await log.close();
    await until('the event is in the file', () => /"event":"gateway.stopped"/.test(readFileSync(file, 'utf8')));
    assert.equal(statSync(file).mode & 0o077, 0);
    rmSync(folder, { recursive: true });
  });

  it('lets a process end that closes it a second time, as a crash does', () => {
    const module = path.join(import.meta.dirname, '../../src/gateway/log.ts');
    const program = `import { createLog, installCrashHandlers } from ${JSON.stringify(module)}; const log = createLog({ level: 'info' }); installCrashHandlers(log, (code) => void log.close().finally(() => process.exit(code))); setInterval(() => {}, 1000); setTimeout(() => { throw new Error('${canary}'); });`;
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', timeout: 5000 });
    assert.deepEqual([run.status, run.signal], [70, null]);
  });

  for (const [what, statement] of [
    ['an uncaught exception', `setTimeout(() => { throw new Error('${canary}'); })`],
    ['an unhandled rejection', `Promise.reject(Object.assign(new Error('${canary}'), { detail: '${canary}' }))`],
    ['a rejection with a text', `Promise.reject('${canary}')`],
    ['a warning', `process.emitWarning('${canary}', '${canary}Warning'); setTimeout(() => process.exit(70), 300)`],
  ] as const) {
    it(`ends a process after ${what} without printing its message`, () => {
      const module = path.join(import.meta.dirname, '../../src/gateway/log.ts');
      const program = `import { createLog, installCrashHandlers } from ${JSON.stringify(module)}; installCrashHandlers(createLog({ level: 'info' }), (code) => process.exit(code)); ${statement};`;
      const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
      assert.equal(run.status, 70);
      assert.match(run.stdout, /"event":"process\.(fault|warning)"/);
      assert.ok(!`${run.stdout}${run.stderr}`.includes('CANARY'), run.stdout + run.stderr);
    });
  }
});

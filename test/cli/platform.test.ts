import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AnswerFile } from '../../src/sdk/answer-file.ts';
import { run } from '../../src/cli/run.ts';
import { Browser } from '../../scripts/demo/form-browser.ts';
import { freePort } from '../../src/store/cluster.ts';
import { sampleSubject } from '../../scripts/sample/subjects.ts';
import { password } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { logProxy } from './support/log-proxy.ts';
import { sample, secretsIn, startCliPlatform, subject, type CliPlatform, type Ran, type RunOptions } from './support/platform.ts';

const other = sampleSubject(1, sample.seed);

describe('cli: on a platform', () => {
  let stage: CliPlatform;
  let port: number;
  let browser: Browser;
  /** All that any command printed. */
  let shown = '';

  const as = async (credentials: string | null, line: readonly string[], options?: RunOptions): Promise<Ran> => {
    const ran = await stage.as(credentials, line, options);
    shown += ran.out + ran.err;
    return ran;
  };
  const done = async (credentials: string | null, ...line: string[]) => {
    const ran = await as(credentials, line);
    assert.deepEqual([ran.code, ran.err], [0, ''], line.join(' '));
    return ran.out;
  };
  const json = async <Value>(credentials: string | null, ...line: string[]) => JSON.parse(await done(credentials, ...line, '--json')) as Value;
  /** A checkpoint that counts a new entry is published within a second or two. */
  const onceCounted = (...line: string[]) => until('a checkpoint counts the entry', async () => {
    const ran = await as(null, line);
    if (ran.code !== 0) assert.match(ran.err, /^AUDIT_ENTRY_NOT_FOUND/);
    return ran.code === 0 && ran.out;
  });
  const ask = ['query', subject, '--purpose', 'pre_loan_review'];

  before(async function () {
    this.timeout(60_000);
    stage = await startCliPlatform();
    port = await freePort();
    const { file } = stage;
    const until = new Date(Date.now() + 100 * 86_400_000).toISOString().slice(0, 10);
    await done(null, 'key', 'generate', '--party', 'bank-a', '--encryption', '--out', file('bank-a.json'));
    await done('bank-a.json', 'institution', 'apply', '--name-en', 'Bank A', '--name-zh', '甲银行', '--class', 'commercial_bank', '--redirect-uri', `http://127.0.0.1:${port}/callback`, '--redirect-uri', 'https://bank-a.example/callback');
    await done('security.json', 'institution', 'assess', 'bank-a', '--level', '4', '--valid-until', until, '--findings-digest', 'a'.repeat(64));
    await done('registrar.json', 'institution', 'approve', 'bank-a');
    for (const [department, ...datasets] of [['market_regulation', 'registry', 'owner'], ['tax_administration', 'tax']] as const) {
      await done(null, 'key', 'generate', '--party', department, '--out', file(`${department}.json`));
      await done('registrar.json', 'department', 'register', department, '--name-en', department, '--name-zh', department, '--key', file(`${department}.json`));
      for (const dataset of datasets) await done(`${department}.json`, 'records', 'load', dataset, file(`${dataset}.csv`));
    }
    const { activation_code: code } = await json<{ activation_code: string }>('registrar.json', 'enterprise', 'register', subject, '--representative', '王芳');
    browser = new Browser(stage.platform.gateway.issuerUrl);
    await browser.submit(await browser.open('/activation'), { holder: subject, code, username: 'wang.fang', password, password_again: password });
  });
  after(() => stage.close());

  it('says before any consent what is missing, in words and for machines', async () => {
    const refused = await as('bank-a.json', [...ask, '--read', 'tax.declared_revenue_cents', '--out', stage.file('never.json')]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^CONSENT_REQUIRED: .*\n {2}grant needed: --purpose pre_loan_review --original tax\.declared_revenue_cents\n$/);
    assert.equal(refused.out, '');
    assert.ok(!existsSync(stage.file('never.json')), 'no empty file is left behind');
    const machine = await as('bank-a.json', [...ask, '--read', 'tax.declared_revenue_cents', '--json']);
    const { error } = JSON.parse(machine.out) as { error: { code: string; detail: { grant_needed: object[] } } };
    assert.deepEqual([machine.code, machine.err, error.code, error.detail.grant_needed.length], [1, '', 'CONSENT_REQUIRED', 1]);
    const explained = await done('bank-a.json', 'query', 'explain', subject, '--purpose', 'pre_loan_review', '--read', 'tax.declared_revenue_cents');
    assert.match(explained, /tax\.declared_revenue_cents +read +withhold +no valid grant +band +clear/);
  });

  const terms = ['--purpose', 'pre_loan_review', '--original', 'registry.name,tax.period', '--desensitised', 'tax.declared_revenue_cents,owner.name', '--valid-days', '30', '--data-life-days', '60', '--uses-max', '9', '--frequency', '5/day'];

  it('asks for consent, waits for the browser, and takes only the callback of its own request', async () => {
    let prompt = '';
    const waiting = new Promise<string>((resolve) => {
      const watch = setInterval(() => {
        const url = /https?:\/\/\S+/.exec(prompt)?.[0];
        if (url === undefined) return;
        clearInterval(watch);
        resolve(url);
      }, 20);
    });
    let out = '';
    const finished = run(['--gateway', stage.platform.gateway.gatewayUrl, '--credentials', stage.file('bank-a.json'), 'consent', 'request', subject, ...terms, '--listen', String(port)], {
      stdout: { write: (text) => { out += text; } }, stderr: { write: (text) => { prompt += text; } }, env: {},
    });
    const page = await browser.open(await waiting);
    const back = await browser.submit(page, { agree: 'yes', decision: 'grant', uses_max: '4' });
    assert.equal(back.url.origin, `http://127.0.0.1:${port}`);
    const forged = new URL(back.url);
    forged.searchParams.set('state', 'x'.repeat(43));
    assert.equal((await fetch(forged)).status, 404, 'a callback with another state is turned away');
    assert.equal((await fetch(back.url)).status, 200);
    assert.equal(await finished, 0);
    assert.match(out, /state +active/);
    assert.match(out, /answers left +4, at most 5 a day/);
    assert.match(out, /owner\.name +desensitised/);
    shown += out + prompt;
    const code = back.url.searchParams.get('code') ?? '';
    assert.ok(code.length > 20 && !(out + prompt).includes(code));
  });

  it('keeps a request under way in a file of its own, finishes it once, and says when the enterprise declined', async () => {
    const pending = stage.file('pending.json');
    const request = ['consent', 'request', subject, ...terms, '--redirect-uri', 'https://bank-a.example/callback', '--pending', pending];
    const decide = async (decision: 'grant' | 'decline') => {
      const { url } = await json<{ url: string }>('bank-a.json', ...request);
      return (await browser.submit(await browser.open(url), { agree: 'yes', decision })).url.href;
    };
    const callback = await decide('grant');
    assert.equal(statSync(pending).mode & 0o777, 0o600);
    const secrets = readFileSync(pending, 'utf8');
    const stranger = await as('bank-a.json', ['consent', 'finish', callback.replace(/state=[^&]+/, `state=${'x'.repeat(43)}`), '--pending', pending]);
    assert.deepEqual([stranger.code, stranger.err.split(':')[0]], [1, 'CONSENT_INVALID']);
    assert.ok(existsSync(pending));
    const view = await json<{ id: string; state: string }>('bank-a.json', 'consent', 'finish', callback, '--pending', pending);
    assert.equal(view.state, 'active');
    assert.ok(!existsSync(pending));
    await done('bank-a.json', 'grant', 'revoke', view.id);
    // what the file held opens nothing any more
    writeFileSync(pending, secrets, { mode: 0o600 });
    const again = await as('bank-a.json', ['consent', 'finish', callback, '--pending', pending]);
    assert.deepEqual([again.code, again.err.split(':')[0]], [1, 'TOKEN_EXPIRED']);
    for (const name of ['verifier', 'd']) assert.ok(!shown.includes(new RegExp(`"${name}":"([^"]+)"`).exec(secrets)?.[1] ?? 'nothing'));
    rmSync(pending);
    const declined = await as('bank-a.json', ['consent', 'finish', await decide('decline'), '--pending', pending]);
    assert.equal(declined.code, 1);
    assert.match(declined.err, /^CONSENT_REQUIRED: The enterprise declined/);
  });

  it('says which terms go beyond what policy allows, and which redirect URI is not registered', async () => {
    const beyond = await as('bank-a.json', ['consent', 'request', subject, ...terms, '--valid-days', '3000', '--redirect-uri', 'https://bank-a.example/callback', '--pending', stage.file('beyond.json')]);
    assert.equal(beyond.code, 1);
    assert.match(beyond.err, /^CONSENT_EXCEEDS_CAP: .*valid_days/);
    const elsewhere = await as('bank-a.json', ['consent', 'request', subject, ...terms, '--redirect-uri', 'https://bank-b.example/callback', '--pending', stage.file('beyond.json')]);
    assert.deepEqual([elsewhere.code, elsewhere.err.split(':')[0]], [1, 'PARTY_NOT_PERMITTED']);
    assert.ok(!existsSync(stage.file('beyond.json')));
  });

  it('asks, opens what is sealed for it, shows what was withheld, and keeps originals sealed', async () => {
    const out = await done('bank-a.json', ...ask, '--read', 'registry.name,tax.period,tax.declared_revenue_cents,owner.name,owner.phone', '--filter', 'tax.period>=2026-01-01', '--sort', 'tax.period:desc', '--limit', 'tax=2', '--out', stage.file('answer.json'));
    const name = /registry\.name +original +(\S+)/.exec(out)?.[1] ?? '';
    assert.ok(readFileSync(stage.file('registry.csv'), 'utf8').includes(name) && name.length > 4);
    assert.equal([...out.matchAll(/tax\.declared_revenue_cents +[12] +band +/g)].length, 2);
    assert.match(out, /owner\.phone +read +the enterprise has not consented to this field/);
    assert.match(out, /receipt +checked, kept in /);
    const kept = readFileSync(stage.file('answer.json'), 'utf8');
    assert.ok(!kept.includes(name), 'an original lies open in the file');
    assert.match(await done('bank-a.json', 'query', 'open', stage.file('answer.json')), new RegExp(`registry\\.name +original +${name}`));
    const taken = await as('bank-a.json', [...ask, '--read', 'registry.name', '--out', stage.file('answer.json')]);
    assert.equal(taken.code, 2, 'an answer is never overwritten, and nothing is spent for it');
  });

  it('compares what it was told, typed as the catalogue says', async () => {
    const { verified } = await json<{ verified: { outcome: string }[] }>('bank-a.json', ...ask, '--verify', 'tax.declared_revenue_cents=1');
    assert.deepEqual(verified.map(({ outcome }) => outcome), ['mismatch']);
  });

  it('proves a kept answer, and finds out one that was changed or put in another\'s place', async function () {
    const file = stage.file('answer.json');
    const key = ['--key', stage.platform.gateway.logVerifierKey];
    assert.match(await done(null, 'audit', 'receipt', file, '--offline'), /The receipt is right[\s\S]*those kept with the answer[\s\S]*not checked/);
    assert.match(await onceCounted('audit', 'receipt', file, ...key), /in the log +yes, proven under a signed checkpoint/);

    const changed = stage.file('changed.json');
    const saved = JSON.parse(readFileSync(file, 'utf8')) as AnswerFile;
    const change = async (value: object) => {
      writeFileSync(changed, JSON.stringify(value));
      const { code, err } = await as(null, ['audit', 'receipt', changed, '--offline']);
      assert.equal(code, 1);
      return err;
    };
    assert.match(await change({ ...saved, answer: { ...saved.answer, withheld: [] } }), /^AUDIT_RECEIPT_INVALID: The receipt is for another answer/);
    assert.match(await change({ ...saved, request: `${saved.request}x` }), /^AUDIT_RECEIPT_INVALID: The receipt is for another request/);
    assert.match(await change({ ...saved, answer: { ...saved.answer, entry: { ...saved.answer.entry, record: { ...saved.answer.entry.record, purpose: 'other' } } } }), /^AUDIT_RECEIPT_INVALID: The record/);
    // sealed for the query that was asked, and for no other
    writeFileSync(changed, JSON.stringify({ ...saved, request: `${saved.request}x` }));
    const opened = await as('bank-a.json', ['query', 'open', changed]);
    assert.deepEqual([opened.code, opened.err.split(':')[0]], [1, 'DISCLOSURE_UNREADABLE']);
  });

  it('verifies the log, remembers it, and names what a dishonest one changed', async () => {
    const { gatewayUrl, logVerifierKey } = stage.platform.gateway;
    const remember = stage.file('checkpoint.txt');
    const verify = (url: string, ...more: string[]) => as(null, ['audit', 'verify', '--log', url, '--key', logVerifierKey, ...more], { columns: 80 });
    const sound = await verify(`${gatewayUrl}/v1/log`, '--remember', remember);
    assert.equal(sound.code, 0);
    assert.match(sound.out, /^The log is sound\.\n/);
    assert.match(sound.err, /\[#{30}\] 100 %/);
    const note = readFileSync(remember, 'utf8');

    const proxy = await logProxy(`${gatewayUrl}/v1/log`, (path, body) => {
      if (/^\/tile\/entries\//.test(path)) body[5 * 34 + 10] = (body[5 * 34 + 10] ?? 0) ^ 1; // each entry has two bytes of length before it
      return body;
    });
    const tampered = await verify(proxy.url, '--remember', remember);
    proxy.close();
    assert.equal(tampered.code, 1);
    assert.match(tampered.out, /^NOT SOUND: entry 5: /);
    assert.equal(readFileSync(remember, 'utf8'), note, 'only a sound log is remembered');
    const machine = JSON.parse((await verify(`${gatewayUrl}/v1/log`, '--remember', remember, '--json')).out) as { kind: string; remembered_size: number };
    assert.deepEqual([machine.kind, machine.remembered_size > 0], ['sound', true]);

    const early = await logProxy(`${gatewayUrl}/v1/log`, (path, body) => {
      if (path === '/checkpoint') return Buffer.from((JSON.parse(history) as string[])[0] ?? '');
      return path.startsWith('/checkpoints') ? Buffer.from('[]') : body;
    });
    const history = await (await fetch(`${gatewayUrl}/v1/log/checkpoints?after=-1`)).text();
    const rolledBack = await verify(early.url, '--remember', remember);
    early.close();
    assert.equal(rolledBack.code, 1);
    assert.match(rolledBack.out, /^NOT SOUND: .*shorter than a checkpoint that was seen before/);

    const wrongKey = await as(null, ['audit', 'verify', '--log', `${gatewayUrl}/v1/log`, '--key', 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW']);
    assert.equal(wrongKey.code, 1);
    assert.match(wrongKey.out, /^NOT SOUND: the log as a whole/);
  });

  it('shows an auditor everything, and holds the records against the log', async function () {
    const out = await done('auditor.json', 'audit', 'verify', '--key', stage.platform.gateway.logVerifierKey, '--records');
    assert.match(out, /records +\d+ agree with their entries, 0 erased/);
    const { accesses } = await json<{ accesses: { index: number; kind: string }[] }>('auditor.json', 'audit', 'accesses', '--institution', 'bank-a', '--limit', '50');
    const released = accesses.find(({ kind }) => kind === 'query.released');
    assert.ok(released);
    const entry = await json<{ commitment: string }>('auditor.json', 'audit', 'entry', String(released.index));
    assert.match(await onceCounted('audit', 'proof', String(released.index), '--commitment', entry.commitment, '--key', stage.platform.gateway.logVerifierKey), /^c2sp\.org\/tlog-proof@v1\n/);
    const wrong = await as(null, ['audit', 'proof', String(released.index), '--commitment', 'A'.repeat(43), '--key', stage.platform.gateway.logVerifierKey]);
    assert.deepEqual([wrong.code, wrong.err.split(':')[0]], [1, 'AUDIT_PROOF_INVALID']);
    const refused = await as('bank-a.json', ['audit', 'verify', '--key', stage.platform.gateway.logVerifierKey, '--records']);
    assert.deepEqual([refused.code, refused.err.split(':')[0]], [1, 'TOKEN_SCOPE_INSUFFICIENT']);
  });

  it('proves to an auditor who signed the request behind an entry', async function () {
    const key = ['--key', stage.platform.gateway.logVerifierKey];
    const { accesses } = await json<{ accesses: { index: number; kind: string }[] }>('auditor.json', 'audit', 'accesses', '--institution', 'bank-a', '--limit', '50');
    const released = String(accesses.find(({ kind }) => kind === 'query.released')?.index);
    const out = await done('auditor.json', 'audit', 'request', released, ...key, '--out', stage.file('request.jwt'));
    assert.match(out, /^bank-a signed the request behind entry \d+\.\n[\s\S]*in the log +yes, proven under a signed checkpoint/);
    assert.ok(!out.includes(subject), 'what was asked is not shown unless asked for');
    assert.match(readFileSync(stage.file('request.jwt'), 'utf8'), /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.equal(statSync(stage.file('request.jwt')).mode & 0o777, 0o600);
    const { signer, in_log, claims } = await json<{ signer: string; in_log: boolean; claims: { query: { subject: string } } }>('auditor.json', 'audit', 'request', released, '--claims');
    assert.deepEqual([signer, in_log, claims.query.subject], ['bank-a', false, subject]);
    for (const [credentials, index, code] of [['auditor.json', '0', 'AUDIT_REQUEST_NOT_FOUND'], ['auditor.json', '99999999', 'AUDIT_ENTRY_NOT_FOUND'], ['bank-a.json', released, 'TOKEN_SCOPE_INSUFFICIENT']] as const) {
      const refused = await as(credentials, ['audit', 'request', index]);
      assert.deepEqual([refused.code, refused.err.split(':')[0], refused.out], [1, code, '']);
    }
  });

  it('loads records as a stream, and lists why a file is refused, without its values', async () => {
    const csv = readFileSync(stage.file('tax.csv'), 'utf8');
    const [header = '', ...lines] = csv.trimEnd().split('\n');
    const bad = `CANARY${header.replaceAll(/[^,]/g, '')}`;
    // several hundred kilobytes: more than one chunk is under way
    const many = Array.from({ length: 4000 }, (_, at) => lines[at % lines.length]);
    writeFileSync(stage.file('bad.csv'), `${[header, ...many, bad].join('\n')}\n`);
    const refused = await as('tax_administration.json', ['records', 'load', 'tax', stage.file('bad.csv')], { columns: 80 });
    assert.equal(refused.code, 1);
    assert.match(refused.err, /rows were rejected[\s\S]*row +field +reason/);
    assert.ok(!(refused.out + refused.err).includes('CANARY'));
    assert.match(await done('tax_administration.json', 'records', 'load', 'tax', stage.file('tax.csv')), /tax: loaded/);
    // the answer comes while most of the file is still to be sent
    writeFileSync(stage.file('large.csv'), `${[header, ...Array.from({ length: 100_000 }, (_, at) => lines[at % lines.length])].join('\n')}\n`);
    const stranger = await as('market_regulation.json', ['records', 'load', 'tax', stage.file('large.csv')]);
    assert.deepEqual([stranger.code, stranger.err.split(':')[0]], [1, 'SOURCE_DATASET_UNKNOWN']);
    const notAtAll = await as('bank-a.json', ['records', 'load', 'tax', stage.file('large.csv')]);
    assert.deepEqual([notAtAll.code, notAtAll.err.split(':')[0]], [1, 'TOKEN_SCOPE_INSUFFICIENT']);
  });

  it('lets an enterprise with a key sign, look after and end its consents', async () => {
    const { file } = stage;
    await done(null, 'key', 'generate', '--party', 'to-be-named', '--out', file('ent.json'));
    const { party } = await json<{ party: string }>('registrar.json', 'enterprise', 'register', other, '--representative', '李明', '--key', file('ent.json'), '--code-out', file('letter.txt'));
    assert.ok(!shown.includes(readFileSync(file('letter.txt'), 'utf8').trim()));
    await done(null, 'key', 'assign', file('ent.json'), party);
    writeFileSync(file('terms.json'), JSON.stringify({ subject: other, purpose: 'pre_loan_review', fields: [{ field: 'registry.name', ceiling: 'desensitised' }], valid_days: 10, data_life_days: 10, kind: 'periodic' }));
    const mistaken = await as('ent.json', ['grant', 'sign', 'bank-a', subject, '--terms', file('terms.json')]);
    assert.equal(mistaken.code, 2);
    const { id } = await json<{ id: string }>('ent.json', 'grant', 'sign', 'bank-a', other, '--terms', file('terms.json'), '--uses-max', '2');
    for (const [action, state] of [['pause', 'paused'], ['resume', 'active'], ['revoke', 'revoked']] as const) {
      assert.equal(await done('ent.json', 'grant', action, id), `${id} is ${state} now.\n`);
    }
    const conflict = await as('ent.json', ['grant', 'resume', id]);
    assert.deepEqual([conflict.code, conflict.err.split(':')[0]], [1, 'CONSENT_STATE_CONFLICT']);
    assert.match(await done('ent.json', 'grant', 'list'), new RegExp(`${id} +revoked +bank-a`));
    assert.equal((await json<{ grants: object[] }>('ent.json', 'grant', 'list', '--in-force')).grants.length, 0);
    await done('ent.json', 'grant', 'receipt', id, '--out', file('receipt.jws'));
    assert.match(readFileSync(file('receipt.jws'), 'utf8'), /^eyJ/);
    const foreign = await as('ent.json', ['query', subject, '--purpose', 'pre_loan_review', '--read', 'registry.name']);
    assert.deepEqual([foreign.code, foreign.err.split(':')[0]], [1, 'TOKEN_SCOPE_INSUFFICIENT']);
  });

  it('shuts a suspended bank out at once, and tells it so', async () => {
    await done('security.json', 'institution', 'suspend', 'bank-a', '--reason', 'terms_violated');
    const out = await as('bank-a.json', ['catalogue']);
    assert.deepEqual([out.code, out.err.split(':')[0]], [1, 'PARTY_NOT_PERMITTED']);
    await done('security.json', 'institution', 'reinstate', 'bank-a');
    assert.match(await done('bank-a.json', 'catalogue', '--dataset', 'registry'), /registry\.name/);
  });

  it('never printed a private key or an access token', () => {
    const secrets = secretsIn(['bank-a', 'registrar', 'security', 'auditor', 'tax_administration', 'market_regulation', 'ent'].map((name) => stage.file(`${name}.json`)));
    assert.ok(secrets.length >= 8);
    for (const secret of secrets) assert.ok(!shown.includes(secret));
    const tokens = [...shown.matchAll(/eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g)].map(([jws]) => (JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()) as { typ: string }).typ);
    assert.ok(tokens.every((typ) => typ === 'receipt+jwt'), tokens.join());
  });
});

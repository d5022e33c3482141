import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { allOf, veilgate as program } from '../../src/cli/run.ts';
import { routes } from '../../src/gateway/resources/routes.ts';
import type { Services } from '../../src/gateway/resources/services.ts';
import { child, main, root, secretsIn, subject, veilgate } from './support/platform.ts';

/** Everything there is, with actions that do nothing. */
async function inert(): Promise<Command> {
  const all = await program({ terminal: { stdout: { write: () => {} }, stderr: { write: () => {} }, env: {} }, fail: () => {} }, ['records', 'domain', 'policy', 'custodian', 'joint']);
  for (const command of allOf(all)) if (command.commands.length === 0) command.action(() => {});
  return all;
}

function pathOf(command: Command): string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

/** Words of a command line as a shell splits them, quotes included. */
function words(line: string): string[] {
  return [...line.replace(/ (?:<|>|\|) .*$/, '').matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}

describe('cli: use', () => {
  let folder: string;
  const file = (name: string, content?: string) => {
    const at = path.join(folder, name);
    if (content !== undefined) writeFileSync(at, content, { mode: 0o600 });
    return at;
  };
  let verbs: readonly Command[];
  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'veilgate-cli-use-'));
    verbs = allOf(await inert()).filter(({ commands }) => commands.length === 0);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('has help with examples for every command, and takes every example', async () => {
    assert.ok(verbs.length >= 40);
    for (const command of allOf(await inert())) {
      const { code, out, err } = await veilgate([...pathOf(command), '--help']);
      assert.deepEqual([code, err], [0, ''], pathOf(command).join(' '));
      assert.match(out, /^Usage: veilgate/);
      if (command.commands.length > 0) continue;
      assert.match(out, /--gateway <url>/);
      const examples = [...out.matchAll(/^ {2}\$ veilgate (.*)$/gm)].map(([, line]) => line ?? '');
      assert.ok(examples.length > 0, `${pathOf(command).join(' ')} has no example`);
      for (const line of examples) await (await inert()).parseAsync(words(line), { from: 'user' });
    }
  });

  it('takes --json everywhere', () => {
    const without = verbs.filter(({ options }) => !options.some(({ long }) => long === '--json')).map((command) => pathOf(command).join(' '));
    assert.deepEqual(without, ['records template'], 'a header line is the same for machines');
  });

  it('takes the examples of the interface\'s description', async () => {
    const examples = routes({} as Services).flatMap(({ examples: given }) => (given?.cli === undefined ? [] : [given.cli]));
    assert.ok(examples.length >= 10);
    for (const line of examples) await (await inert()).parseAsync(words(line.replaceAll(/<(\w+)>/g, (_, name: string) => (name === 'sha256' ? 'a'.repeat(64) : name))).slice(1), { from: 'user' });
  });

  it('exits with 2 when used wrongly, and says how it is used', async () => {
    const wrong = [
      [], ['nonsense'], ['query'], ['query', 'ask'], ['query', subject], ['query', subject, '--purpose', 'p'], ['query', subject, '--purpose', 'p', '--read', ','],
      ['query', subject, '--purpose', 'p', '--verify', 'field'], ['query', subject, '--purpose', 'p', '--read', 'a.b', '--limit', 'a=0'], ['query', subject, '--purpose', 'p', '--read', 'a.b', '--filter', 'a.b<3'],
      ['catalogue', '--nonsense'], ['grant', 'show'], ['grant', 'sign', 'bank-a'], ['grant', 'sign', 'bank-a', subject, '--purpose', 'p'], ['grant', 'sign', 'bank-a', subject, '--frequency', '3/hour'],
      ['consent', 'request', subject, '--purpose', 'p', '--original', 'a.b', '--valid-days', '1', '--data-life-days', '1'], ['institution', 'suspend', 'bank-a'], ['institution', 'suspend', 'bank-a', '--reason', 'free text'],
      ['institution', 'assess', 'bank-a', '--level', '6', '--valid-until', '2027-01-01'], ['institution', 'assess', 'bank-a', '--level', '4', '--valid-until', 'soon'], ['institution', 'assess', 'bank-a', '--level', '4', '--valid-until', '2027-01-01'],
      ['key', 'generate', '--party', 'x'], ['audit', 'verify'], ['audit', 'verify', '--key', 'no key'], ['audit', 'entry', '-1'], ['report', 'work', '2026-13'], ['report', 'institution', 'bank-a', '--from', 'soon'], ['audit', 'proof', 'x'], ['records', 'load', 'tax'], ['policy', 'check', '--nonsense'],
      ['policy', 'explain', '--purpose', 'nothing', '--class', 'commercial_bank'],
    ];
    for (const line of wrong) {
      const { code, out, err } = await veilgate(line);
      assert.deepEqual([code, out], [2, ''], line.join(' '));
      assert.ok(err.length > 0);
      assert.doesNotMatch(err, /\n\s+at /, 'a stack');
    }
  });

  it('takes an id that begins with a dash for an id', async () => {
    const nowhere = ['--gateway', 'http://127.0.0.1:9', '--credentials', file('none.json')];
    const lines = [
      ['grant', 'pause', `-${'a'.repeat(21)}`], ['grant', 'receipt', `--${'a'.repeat(20)}`, '--json'], ['key', 'retire', '--json', `-${'b'.repeat(42)}`],
      ['query', subject, '--purpose', 'p', '--read', 'a.b', '--grant', `-${'a'.repeat(21)}`], ['grant', 'list', '--after', `-${'c'.repeat(21)}`],
      ['joint', 'cohort', 'align', `-${'a'.repeat(21)}`, 'list.csv', '--out', 'positions.csv'], ['joint', 'run', 'commit', '--json', `-${'a'.repeat(21)}`, '--out', 'run.json', `-${'b'.repeat(21)}`],
    ];
    // all of them get as far as the credentials, which are not there
    for (const line of lines) assert.match(JSON.stringify(await veilgate([...nowhere, ...line])), /This file is not there/, line.join(' '));
    assert.equal((await veilgate([...nowhere, 'grant', 'pause', '-a'])).code, 2);
  });

  it('reads keys only from a file that others cannot read, and says what to do', async () => {
    const keys = file('keys.json');
    const made = await veilgate(['key', 'generate', '--party', 'bank-a', '--encryption', '--out', keys]);
    assert.equal(made.code, 0);
    assert.equal(statSync(keys).mode & 0o777, 0o600);
    chmodSync(keys, 0o644);
    const refused = await veilgate(['key', 'show', keys]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^CONFIG_INSECURE: Others can read this file.*chmod 600/);
    const machine = await veilgate(['catalogue', '--json', '--gateway', 'http://127.0.0.1:9', '--credentials', keys]);
    assert.deepEqual([machine.code, (JSON.parse(machine.out) as { error: { code: string } }).error.code], [1, 'CONFIG_INSECURE']);
    chmodSync(keys, 0o600);
    const again = await veilgate(['key', 'generate', '--party', 'bank-a', '--out', keys]);
    assert.equal(again.code, 2, 'keys are never overwritten');
    const shown = await veilgate(['key', 'show', keys]);
    assert.deepEqual((JSON.parse(shown.out) as { keys: { use: string }[] }).keys.map(({ use }) => use), ['sig', 'enc']);
    for (const secret of secretsIn([keys])) assert.ok(![made, refused, machine, again, shown].some(({ out, err }) => (out + err).includes(secret)));
  });

  it('gives keys another party, and nothing else changes', async () => {
    const keys = file('assign.json');
    await veilgate(['key', 'generate', '--party', 'before', '--out', keys]);
    const before = JSON.parse(readFileSync(keys, 'utf8')) as Record<string, unknown>;
    assert.equal((await veilgate(['key', 'assign', keys, 'ent-1'])).code, 0);
    assert.deepEqual(JSON.parse(readFileSync(keys, 'utf8')), { ...before, party: 'ent-1' });
    assert.equal(statSync(keys).mode & 0o777, 0o600);
  });

  it('says what is wrong with a file it is given', async () => {
    const at = (line: string[]) => veilgate(['--gateway', 'http://127.0.0.1:9', ...line]);
    const bad: [string[], RegExp][] = [
      [['--credentials', file('none.json'), 'catalogue'], /CONFIG_INVALID: This file is not there/],
      [['--credentials', file('no-json.json', 'x'), 'catalogue'], /CONFIG_INVALID: This file is not there, is too long, or is no JSON/],
      [['--credentials', file('empty.json', '{}'), 'catalogue'], /CONFIG_INVALID: This file holds no credentials/],
      [['--credentials', file('half.json', '{"party":"a","signing":{"kty":"OKP"}}'), 'catalogue'], /CONFIG_INVALID: This file holds no credentials/],
      [['department', 'register', 'x', '--name-en', 'x', '--name-zh', 'x', '--key', file('empty.json')], /CONFIG_INVALID: This file holds no public signature key/],
      [['audit', 'receipt', file('empty.json')], /CONFIG_INVALID: This is no saved answer/],
      [['consent', 'finish', 'https://x.example/', '--pending', file('none.json'), '--credentials', file('keys.json')], /CONFIG_INVALID: This file is not there/],
    ];
    for (const [line, expected] of bad) {
      const { code, err } = await at(line);
      assert.equal(code, 2, line.join(' '));
      assert.match(err, expected);
    }
  });

  it('says that nobody answers', async () => {
    const { code, err } = await veilgate(['catalogue', '--gateway', 'http://127.0.0.1:9', '--credentials', file('keys.json')]);
    assert.equal(code, 1);
    assert.match(err, /^GATEWAY_UNAVAILABLE: The platform does not answer/);
    const plain = await veilgate(['catalogue', '--gateway', 'http://gateway.example', '--credentials', file('keys.json')]);
    assert.deepEqual([plain.code, plain.err.slice(0, 15)], [2, 'CONFIG_INVALID:'], 'never without TLS, but on one\'s own machine');
  });

  it('runs as a program of its own', async () => {
    const run = (...args: string[]) => child(process.execPath, [main, ...args], { cwd: root, env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], VEILGATE_CLI_GATEWAY: 'http://127.0.0.1:9', VEILGATE_CLI_CREDENTIALS: file('keys.json') } });
    const [help, wrong, refused] = await Promise.all([run('--help'), run('nonsense'), run('catalogue', '--json')]);
    assert.deepEqual([help.code, wrong.code, refused.code], [0, 2, 1]);
    assert.equal((JSON.parse(refused.out) as { error: { code: string } }).error.code, 'GATEWAY_UNAVAILABLE');
  });
});

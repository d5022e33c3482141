/**
 * Another node of a platform under test, in a process that dies at a step of its first score. Nothing of the gateway is
 * changed for it: the steps are seen from outside, by statements, requests and answers. argv: settings, custodian, step.
 */
import { Writable } from 'node:stream';
import pg from 'pg';
import type { ScoreStep } from './score-steps.ts';

const [settings = '{}', custodian = '{}', armed = ''] = process.argv.slice(2);

function reached(step: ScoreStep | undefined): void {
  if (step !== undefined && step === armed) process.kill(process.pid, 'SIGKILL');
}

const fetchBefore = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const opens = new URL(input instanceof Request ? input.url : input).pathname === '/v1/open';
  if (opens) reached('evaluated');
  const response = await fetchBefore(input, init);
  if (opens) reached('opened');
  return response;
};

const before: Readonly<Record<string, ScoreStep>> = { 'identity admit': 'identified', 'consent lock grants': 'sealed', 'release commit': 'appended' };
const after: Readonly<Record<string, ScoreStep>> = { 'identity admit': 'admitted', 'score-columns-of': 'looked up', 'consent count uses': 'spent', 'release commit': 'committed' };
const releasing = new WeakSet<object>();

function nameOf(client: object, statement: unknown): string {
  if (typeof statement === 'string') return statement === 'commit' && releasing.delete(client) ? 'release commit' : '';
  const { name = '' } = statement as { readonly name?: string };
  if (name === 'consent lock grants') releasing.add(client);
  return name;
}

// pg's overloads cannot be told apart here: a callback comes last, or a promise is given
type AnyQuery = (this: object, statement: unknown, ...rest: unknown[]) => unknown;
const prototype = pg.Client.prototype as unknown as { query: AnyQuery };
const query = prototype.query;
prototype.query = function (this: object, statement: unknown, ...rest: unknown[]) {
  const name = nameOf(this, statement);
  reached(before[name]);
  const callback = rest.at(-1);
  if (typeof callback === 'function') {
    rest[rest.length - 1] = (error: unknown, result: unknown) => {
      if (error === undefined || error === null) reached(after[name]);
      callback(error, result);
    };
  }
  const result = query.call(this, statement, ...rest);
  if (!(result instanceof Promise)) return result;
  return result.then((value) => {
    reached(after[name]);
    return value as unknown;
  });
};

const [{ readConfig }, { startGateway }, { createLog }, { systemClock }] = await Promise.all([
  import('../../../src/gateway/config.ts'), import('../../../src/gateway/gateway.ts'), import('../../../src/gateway/log.ts'), import('../../../src/clock.ts'),
]);
const config = readConfig(JSON.parse(settings) as NodeJS.ProcessEnv);
const log = createLog({ level: 'error', stream: new Writable({ write: (_chunk, _encoding, done) => done() }) });
await startGateway(config, config.databaseUrl ?? '', log, systemClock, JSON.parse(custodian) as Parameters<typeof startGateway>[4]);
process.send?.('ready');

/**
 * The gateway's own main program, in a process that can be told to die at a step of the next query. Nothing of the
 * gateway is changed for it: the steps are seen from outside, by the statements that reach the PostgreSQL client.
 */
import http from 'node:http';
import module from 'node:module';
import pg from 'pg';
import type { Step } from './steps.ts';

let armed: Step | undefined;

function reached(step: Step | undefined): void {
  if (step === undefined || step !== armed) return;
  process.kill(process.pid, 'SIGKILL');
}

process.on('message', (message: { readonly dieAt: Step }) => {
  armed = message.dieAt;
  process.send?.({ armed });
});

// emit is overloaded by event, too
type AnyEmit = (this: object, event: string, ...rest: unknown[]) => boolean;
const server = http.Server.prototype as unknown as { emit: AnyEmit };
const emit = server.emit;
server.emit = function (this: object, event: string, ...rest: unknown[]) {
  if (event === 'request' && (rest[0] as http.IncomingMessage).url === '/v1/queries') reached('received');
  return emit.call(this, event, ...rest);
};

const before: Readonly<Record<string, Step>> = { 'identity admit': 'identified', rows: 'decided', 'consent lock grants': 'sealed', 'release commit': 'appended' };
const after: Readonly<Record<string, Step>> = { 'identity admit': 'admitted', rows: 'fetched', 'consent count uses': 'spent', 'consent count uses and attempts': 'spent', 'release commit': 'committed' };

/** Connections in a transaction that releases answers. */
const releasing = new WeakSet<object>();

function nameOf(client: object, statement: unknown): string {
  if (typeof statement === 'string') return statement === 'commit' && releasing.delete(client) ? 'release commit' : '';
  const { name = '', rowMode } = statement as { readonly name?: string; readonly rowMode?: string };
  if (name === 'consent lock grants') releasing.add(client);
  return rowMode === 'array' ? 'rows' : name; // only the fetch of rows asks for arrays
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
  if (name === 'release commit') reached('committing');
  if (!(result instanceof Promise)) return result;
  return result.then((value) => {
    reached(after[name]);
    return value as unknown;
  });
};

await import('../../../src/gateway/main.ts');
module.flushCompileCache(); // a process that is killed would keep its next start from being quick

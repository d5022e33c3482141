import { object, oneOf } from './schema/words.ts';
import { ok, route, type Route } from './route.ts';

/** One thing a gateway needs to answer queries. `check` resolves to false, or throws, when it is missing. */
export type HealthCheck = { readonly name: 'database' | 'policy' | 'log' | 'issuer'; readonly check: () => Promise<boolean> };

const checkTimeoutMs = 2000;
/** Asking often must not become load on what is asked about. */
const keptMs = 1000;

/** `/healthz`: the process answers. `/readyz`: it can do its work; 503 while it cannot or is stopping. */
export function healthRoutes(checks: readonly HealthCheck[], draining: () => boolean): readonly Route[] {
  let last: { readonly atMs: number; readonly result: Promise<Readonly<Record<string, 'ok' | 'failing'>>> } | undefined;
  const state = () => {
    const nowMs = performance.now();
    if (last === undefined || nowMs - last.atMs > keptMs) last = { atMs: nowMs, result: runAll(checks) };
    return last.result;
  };
  const states = object(Object.fromEntries([...new Set(checks.map(({ name }) => name))].map((name) => [name, oneOf(['ok', 'failing'])])));
  return [
    route({
      method: 'GET', path: '/healthz', operationId: 'getHealth', tag: 'Service', summary: 'Whether the process answers', access: 'public', uncounted: true,
      responses: { 200: { description: 'It does.', schema: object({ status: { const: 'ok' } }) } },
      errors: [],
      handler: async () => ok({ status: 'ok' }),
    }),
    route({
      method: 'GET', path: '/readyz', operationId: 'getReadiness', tag: 'Service', summary: 'Whether queries can be answered', access: 'public', uncounted: true,
      responses: {
        200: { description: 'They can.', schema: object({ status: { const: 'ready' }, checks: states }) },
        503: { description: 'Something is missing, or the gateway is stopping.', schema: object({ status: oneOf(['not_ready', 'stopping']), checks: states }) },
      },
      errors: [],
      handler: async () => {
        const result = await state();
        if (draining()) return { status: 503, json: { status: 'stopping', checks: result } };
        const ready = Object.values(result).every((outcome) => outcome === 'ok');
        return ready ? ok({ status: 'ready', checks: result }) : { status: 503, json: { status: 'not_ready', checks: result } };
      },
    }),
  ];
}

async function runAll(checks: readonly HealthCheck[]): Promise<Readonly<Record<string, 'ok' | 'failing'>>> {
  const results = await Promise.all(checks.map(async ({ name, check }) => [name, (await passes(check)) ? 'ok' : 'failing'] as const));
  return Object.fromEntries(results);
}

async function passes(check: () => Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), checkTimeoutMs);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

import { checkpointSigner } from '../audit/checkpoint.ts';
import { formatVerifierKey } from '../audit/note.ts';
import { startPublisher } from '../audit/publish.ts';
import { auditReader } from '../audit/read.ts';
import type { Clock } from '../clock.ts';
import { VeilgateError, isVeilgateError } from '../errors.ts';
import { createLimits } from '../gateway/limits.ts';
import { faultFacts, type Log } from '../gateway/log.ts';
import { proxiesBelieved, startServer, type RunningServer, type ServerConfig } from '../gateway/server.ts';
import { openCustodianKeyring } from '../identity/keyring.ts';
import type { Database } from '../store/database.ts';
import type { InstitutionId, PartyId, PublicJwk } from '../vocabulary.ts';
import { createCustodianApp, type CustodianAppOptions } from './app.ts';
import { bankRegister, hasAlarm } from './banks.ts';
import { openCustodianDatabase } from './database.ts';
import { startDecryption, type Decryption, type DecryptionOptions } from './decryption.ts';
import { readHeKeys, type HeKey } from './he-keys.ts';
import type { OpeningDesk } from './open.ts';
import { makeLoggedKey } from './operator.ts';
import { pinnedGateway } from './pinned-gateway.ts';
import { Refusal } from './refusal.ts';
import { createRefusalLog, type RefusalLog } from './refusal-log.ts';
import type { CustodianConfig } from './settings.ts';
import { openingSpender } from './uses.ts';

export type RunningCustodian = {
  readonly url: string;
  readonly id: string;
  /** Key that statements are signed with: what a gateway pins. */
  readonly statementKey: PublicJwk;
  /** C2SP verifier key of its audit log. */
  readonly logVerifierKey: string;
  /** Its own database: for its operator's tools, and for tests. */
  readonly database: Database;
  /** Takes up keys that were made or retired meanwhile, and a new certificate. */
  readonly reload: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** What a test may put in the place of the real thing. */
export type CustodianParts = { readonly decryption?: (options: DecryptionOptions) => Promise<Decryption> };

const flushMs = 60_000;
const someMs = 1000;

/**
 * Starts a custodian: keys (made when there are none), database, decryption threads, log, server.
 * Errors: CONFIG_*, STORE_*, HE_KEY_REFUSED, KEY_REFUSED, CUSTODIAN_UNAVAILABLE.
 */
export async function startCustodian(config: CustodianConfig, log: Log, clock: Clock, parts: CustodianParts = {}): Promise<RunningCustodian> {
  const gateway = await pinnedGateway(config);
  const keyring = openCustodianKeyring(config.keysFolder, clock);
  const { database, close } = await openCustodianDatabase(config);
  const started: (() => Promise<unknown>)[] = [close];
  const stopAll = async () => {
    for (const stop of started.toReversed()) await stop();
  };
  try {
    const secrets = await openSecrets(config, log, clock, database, parts);
    started.push(secrets.close);
    const signer = await checkpointSigner(config.logOrigin, keyring.logSigningKey);
    const onError = (error: unknown) => log.write('audit.checkpoint_failed', { code: isVeilgateError(error) ? error.code : 'INTERNAL' });
    started.push(startPublisher({ database, clock, signer, intervalMs: config.checkpointSeconds * 1000, onError }));
    const refusals = createRefusalLog(database, clock);
    started.push(flushRegularly(refusals, log));

    let server: RunningServer | undefined;
    const { desk, app } = deskAndLimits(config, database, clock, secrets);
    const options: CustodianAppOptions = {
      ...app, ...reports(log, refusals),
      desk: { ...desk, gateway },
      statement: { id: config.id, gatewayUrl: gateway.url, signer: keyring.statementSigner, clock },
      keys: secrets.keys,
      checkpoint: () => auditReader(database).checkpoint(),
      ready: async () => (await database.ready(someMs)) && !(await hasAlarm(database)),
      draining: () => server?.draining() ?? false,
    };
    server = await listen(options, config, log);
    started.push(server.stop);
    log.write('custodian.started', { port: server.port, keys: secrets.keys().length, tls: config.tlsCertFile !== undefined, database: config.databaseUrl === undefined ? 'embedded' : 'external' });
    const { url, reloadTls } = server;
    return {
      url, id: config.id, statementKey: keyring.statementKey, logVerifierKey: formatVerifierKey(signer.key), database, stop: stopAll,
      async reload() {
        reloadTls();
        await secrets.reload();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

type Secrets = { readonly keys: () => readonly HeKey[]; readonly decryption: () => Decryption; readonly reload: () => Promise<void>; readonly close: () => Promise<void> };

/** Key pairs and the threads that hold them; `reload` puts new threads in the place of the old ones once they are ready. */
async function openSecrets(config: CustodianConfig, log: Log, clock: Clock, database: Database, { decryption: start = startDecryption }: CustodianParts): Promise<Secrets> {
  if (readHeKeys(config.keysFolder).length === 0) await makeLoggedKey(config.keysFolder, database, clock);
  const open = async () => {
    const keys = readHeKeys(config.keysFolder);
    return { keys, threads: await start({ keys, threads: config.threads, onThreadFailed: (error) => log.write('custodian.thread_failed', faultFacts(error)) }) };
  };
  let current = await open();
  return {
    keys: () => current.keys,
    decryption: () => current.threads,
    async reload() {
      const before = current;
      current = await open();
      await before.threads.close();
    },
    close: () => current.threads.close(),
  };
}

type Work = {
  readonly desk: Omit<OpeningDesk, 'gateway'>;
  readonly app: Pick<CustodianAppOptions, 'places' | 'mayTry' | 'stranger' | 'proxiesBelieved' | 'bodyTimeoutMs' | 'refusalMs'>;
};

function deskAndLimits(config: CustodianConfig, database: Database, clock: Clock, { keys, decryption }: Secrets): Work {
  const limits = createLimits({ requestsInFlight: config.requestsInFlight, partyRequestsPerSecond: config.bankTicketsPerSecond, addressRequestsPerSecond: config.addressRequestsPerSecond });
  const everybody = '*' as PartyId; // no bank can be called so
  const banks = bankRegister(database);
  const spend = openingSpender(database, clock, { bankSlotsPerDay: config.bankSlotsPerDay });
  return {
    desk: {
      id: config.id, database, clock, decryption, banks,
      spend: (use) => spend(use).catch((error: unknown) => {
        if (error instanceof Refusal && (error.step === 'request' || error.step === 'recipient')) banks.forget();
        throw error;
      }),
      keys: () => new Map(keys().map((key) => [key.id, key])),
      limits: { ciphertextsMax: config.ciphertextsMax },
      async countTicket(bank?: InstitutionId) {
        try {
          await limits.party(everybody, config.ticketsPerSecond);
          if (bank !== undefined) await limits.party(bank);
        } catch (error) {
          throw isVeilgateError(error, 'REQUEST_RATE_LIMITED') ? new VeilgateError('CUSTODIAN_UNAVAILABLE', 'Too many tickets in this second: ask with a new one in the next.') : error;
        }
      },
    },
    app: {
      places: limits,
      mayTry: (address) => limits.mayTry(address).catch(() => { throw new Refusal('limit', 'rate'); }),
      stranger: limits.refused,
      proxiesBelieved: proxiesBelieved(config), bodyTimeoutMs: config.requestTimeoutSeconds * 1000, refusalMs: config.refusalMs,
    },
  };
}

function reports(log: Log, refusals: RefusalLog): Pick<CustodianAppOptions, 'onAnswered' | 'onRefused' | 'onFault'> {
  return {
    onAnswered: ({ institution }, ms) => log.write('custodian.answered', { ms: Math.round(ms), party: institution ?? undefined }),
    async onRefused(refusal, seen) {
      log.write('custodian.refused', { step: refusal.step, party: seen.institution ?? undefined });
      if (refusal.step === 'mask') log.write('custodian.alarm', { party: seen.institution ?? undefined });
      refusals.note(refusal, seen);
      if (seen.ticket !== null) await refusals.flush().catch((error: unknown) => log.write('custodian.fault', faultFacts(error)));
    },
    onFault: (error) => log.write('custodian.fault', faultFacts(error)),
  };
}

function flushRegularly(refusals: RefusalLog, log: Log): () => Promise<void> {
  const flush = () => refusals.flush().catch((error: unknown) => log.write('custodian.fault', faultFacts(error)));
  const timer = setInterval(() => void flush(), flushMs).unref();
  return async () => {
    clearInterval(timer);
    await flush();
  };
}

async function listen(options: CustodianAppOptions, config: CustodianConfig, log: Log): Promise<RunningServer> {
  const { host, port, tlsCertFile, tlsKeyFile, tlsTerminatedByProxy, trustedProxies, connections, drainSeconds, headersTimeoutSeconds, requestTimeoutSeconds } = config;
  const server: ServerConfig = { host, port, tlsCertFile, tlsKeyFile, tlsTerminatedByProxy, trustedProxies, connections, drainSeconds, headersTimeoutSeconds, requestTimeoutSeconds, uploadTimeoutSeconds: requestTimeoutSeconds };
  try {
    return await startServer(createCustodianApp(options), server, log);
  } catch (error) {
    if (!isVeilgateError(error, 'CONFIG_INVALID')) throw error;
    throw new VeilgateError('CONFIG_INVALID', 'CUSTODIAN_HOST and CUSTODIAN_PORT cannot be listened on: choose others or stop what listens there.', { settings: ['CUSTODIAN_HOST', 'CUSTODIAN_PORT'] });
  }
}

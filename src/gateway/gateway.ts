import path from 'node:path';
import type { Clock } from '../clock.ts';
import { identify } from '../identity/identify.ts';
import { openKeyring } from '../identity/keyring.ts';
import type { PolicyHolder, ReloadReport } from '../policy/holder.ts';
import { loadCatalogue } from '../source/catalogue.ts';
import { openDatabase, type Database } from '../store/database.ts';
import type { Catalogue } from '../vocabulary.ts';
import { createGatewayApp, type GatewayAppOptions, type Identify } from './app.ts';
import { composeServices } from './composition.ts';
import type { Config } from './config.ts';
import { createIdempotency } from './idempotency.ts';
import { startIssuer } from './issuer.ts';
import { createLimits } from './limits.ts';
import type { Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { routes } from './resources/routes.ts';
import type { Services } from './resources/services.ts';
import { querySchemas } from './schema/query.ts';
import { consentSchemas } from './schema/consent.ts';
import { jointProjectSchemas } from './schema/joint-project.ts';
import { policyRuleSchemas } from './schema/policy-rule.ts';
import { jointRunSchemas } from './schema/joint.ts';
import { modelSchemas } from './schema/model.ts';
import { scoreSchemas } from './schema/score.ts';
import { signedSchemas } from './schema/signed.ts';
import type { CustodianAddress } from './scoring.ts';
import { openPolicySource } from './policy-source.ts';
import { startServer, type RunningServer } from './server.ts';
import { recordPolicy } from './use-cases/policy-in-force.ts';

/** One process that answers requests. */
export type RunningGateway = {
  readonly gatewayUrl: string;
  readonly issuerUrl: string;
  /** C2SP verifier key of the log: what an auditor must learn by a way of trust. */
  readonly logVerifierKey: string;
  readonly metrics: Metrics;
  readonly stop: () => Promise<void>;
  readonly reload: () => void;
};

const refusalCountMs = 60_000;

/**
 * Puts the stages together and listens: the gateway, and its own authorization server unless the platform has one.
 * @param databaseUrl what startNode gave
 * @param custodian who opens scores; without one the gateway gives none
 */
export async function startGateway(config: Config, databaseUrl: string, log: Log, clock: Clock, custodian?: CustodianAddress): Promise<RunningGateway> {
  const database = openDatabase({ url: databaseUrl, maxConnections: config.databaseConnections, applicationName: 'veilgate gateway', statementTimeoutMs: config.databaseTimeoutSeconds * 1000 });
  const limits = createLimits(config);
  const metrics = createMetrics({ inFlight: limits.inFlight, process: true });
  const keyring = openKeyring(config.keysFolder, clock);
  const catalogue = loadCatalogue(path.join(config.policyFolder, 'catalogue'));
  const policySource = await openPolicySource(config, database, catalogue, clock);
  const policy = policySource.holder;
  const gatewayUrl = gatewayUrlOf(config);
  const issuerUrl = config.issuerUrl ?? config.issuerPublicUrl ?? `${scheme(config)}://${shownHost(config.issuerHost ?? config.host)}:${config.issuerPort}`;
  const services = await composeServices({ config, database, keyring, catalogue, standing: policySource.standing, metrics, gatewayUrl, issuerUrl, clock, custodian });
  const policyInForce = (report?: ReloadReport) => reportPolicy(report, policy, catalogue, database, log, metrics, clock);
  policyInForce();
  const stopWatching = policySource.watch(policyInForce);

  const countRefusals = (all?: boolean) => services.refusals.flush(all).catch(() => log.write('maintenance.failed', { task: 'refusal_count' }));
  const counting = setInterval(countRefusals, refusalCountMs).unref();

  let server: RunningServer | undefined;
  const interfaceOptions: GatewayAppOptions = {
    config, publicUrl: gatewayUrl, log, metrics, limits,
    idempotency: createIdempotency({ database, clock, hours: config.idempotencyHours }),
    identify: identifyCaller(services),
    dpop: { algorithms: 'EdDSA Ed25519 ES256 PS256', resourceMetadataUrl: `${gatewayUrl}/.well-known/oauth-protected-resource`, nonce: () => services.identity.nonces.current(clock.nowMs()) },
    routes: routes(services),
    schemas: { ...querySchemas, ...signedSchemas, ...consentSchemas, ...scoreSchemas, ...modelSchemas, ...jointProjectSchemas, ...policyRuleSchemas, ...jointRunSchemas },
    health: [
      { name: 'database', check: () => database.ready(1000) },
      { name: 'policy', check: async () => policy.current().version.length > 0 },
    ],
    draining: () => server?.draining() ?? false,
  };
  const issuer = config.issuerUrl === undefined ? await startIssuer(config, services, keyring, issuerUrl, log, interfaceOptions) : undefined;
  server = await startServer(createGatewayApp(interfaceOptions), config, log);
  const gateway = server;
  return {
    gatewayUrl,
    issuerUrl,
    logVerifierKey: services.logVerifierKey,
    metrics,
    reload() {
      gateway.reloadTls();
      issuer?.reloadTls();
      policyInForce(policy.reload());
      void policySource.standing.follow();
    },
    async stop() {
      stopWatching();
      clearInterval(counting);
      await Promise.all([gateway.stop(), issuer?.stop()]);
      await countRefusals(true);
      await services.scoring.close();
      await database.close();
    },
  };
}

/** Where callers reach the gateway: audience of what they sign, issuer of what it signs. */
export function gatewayUrlOf(config: Config): string {
  return config.publicUrl ?? `${scheme(config)}://${shownHost(config.host)}:${config.port}`;
}

/** Who calls, for every route that does not find out itself. */
function identifyCaller({ identity, admissions }: Services): Identify {
  return async (proof) => admissions.caller(await identify(proof, identity));
}

function reportPolicy(report: ReloadReport | undefined, holder: PolicyHolder, catalogue: Catalogue, database: Database, log: Log, metrics: Metrics, clock: Clock): void {
  if (report?.outcome === 'kept') {
    log.write('policy.refused', { code: 'POLICY_BROKEN', problems: report.problems.length });
    return;
  }
  const { version } = holder.current();
  log.write('policy.loaded', { policy: version, datasets: catalogue.datasets.size, fields: catalogue.fields.size });
  metrics.policyLoaded(version);
  if (report?.outcome === 'replaced') {
    recordPolicy(database, version, clock).catch(() => log.write('maintenance.failed', { task: 'policy_reload' }));
  }
}

function scheme(config: Config): 'http' | 'https' {
  return config.tlsCertFile === undefined ? 'http' : 'https';
}

function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

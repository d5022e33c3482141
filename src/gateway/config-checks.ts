import path from 'node:path';
import { beyondLoopback, certificateFault, databaseAddress, databaseParameters, folderOpenToOthers, insecureUrl, isFile, isFolder, isRemoteDatabase, openToOthers, validNetwork } from '../settings/conditions.ts';
import type { SettingsCheck } from '../settings/read.ts';
import type { Config, settings } from './config-settings.ts';

export { isLoopback } from '../settings/conditions.ts';

/** One thing a gateway refuses to start with. */
export type ConfigCheck = SettingsCheck<typeof settings>;

const hasTls = (config: Config) => config.tlsCertFile !== undefined && config.tlsKeyFile !== undefined;
const databaseIsRemote = (config: Config) => isRemoteDatabase(config.databaseUrl);
const password = (config: Config) => databaseAddress(config.databaseUrl ?? '')?.password ?? '';

function samePort(first: number | undefined, second: number | undefined): boolean {
  return first !== undefined && first !== 0 && first === second;
}

/** Characters enough and of enough kinds that nobody typed it for the time being. */
function guessable(secret: string): boolean {
  return new Set(secret).size < 10;
}

/** Most connections that the gateway's own PostgreSQL keeps for the processes of one node. */
const ownDatabaseConnectionsMax = 180;

export const configChecks: readonly ConfigCheck[] = [
  { code: 'CONFIG_INSECURE', settings: ['host'], refuses: 'listens beyond this machine without TLS: set VEILGATE_TLS_CERT_FILE and VEILGATE_TLS_KEY_FILE, or VEILGATE_TLS_TERMINATED_BY_PROXY', violated: (config) => beyondLoopback(config.host) && !hasTls(config) && !config.tlsTerminatedByProxy },
  { code: 'CONFIG_INSECURE', settings: ['issuerHost'], refuses: 'listens beyond this machine without TLS: set VEILGATE_TLS_CERT_FILE and VEILGATE_TLS_KEY_FILE, or VEILGATE_TLS_TERMINATED_BY_PROXY', violated: (config) => config.issuerHost !== undefined && beyondLoopback(config.issuerHost) && !hasTls(config) && !config.tlsTerminatedByProxy },
  { code: 'CONFIG_INVALID', settings: ['tlsCertFile', 'tlsKeyFile'], refuses: 'come together or not at all', violated: (config) => (config.tlsCertFile === undefined) !== (config.tlsKeyFile === undefined) },
  { code: 'CONFIG_INVALID', settings: ['tlsCertFile', 'tlsKeyFile'], refuses: 'must be a readable certificate and private key in PEM form', violated: (config, _given, nowMs) => certificateFault(config, nowMs) === 'unreadable' },
  { code: 'CONFIG_INVALID', settings: ['tlsCertFile', 'tlsKeyFile'], refuses: 'do not belong together', violated: (config, _given, nowMs) => certificateFault(config, nowMs) === 'mismatch' },
  { code: 'CONFIG_INVALID', settings: ['tlsCertFile'], refuses: 'has expired', violated: (config, _given, nowMs) => certificateFault(config, nowMs) === 'expired' },
  { code: 'CONFIG_INSECURE', settings: ['tlsKeyFile'], refuses: 'can be read by others: chmod 600', violated: (config) => config.tlsKeyFile !== undefined && openToOthers(config.tlsKeyFile) },
  { code: 'CONFIG_INVALID', settings: ['tlsTerminatedByProxy', 'tlsCertFile'], refuses: 'contradict each other: TLS ends either here or at the proxy', violated: (config) => config.tlsTerminatedByProxy && config.tlsCertFile !== undefined },
  { code: 'CONFIG_INVALID', settings: ['trustedProxies'], refuses: 'must say which proxies may connect when TLS ends at a proxy and the gateway listens beyond this machine', violated: (config) => config.tlsTerminatedByProxy && beyondLoopback(config.host) && config.trustedProxies.length === 0 },
  { code: 'CONFIG_INVALID', settings: ['trustedProxies'], refuses: 'must be addresses or networks in CIDR form', violated: (config) => !config.trustedProxies.every(validNetwork) },
  { code: 'CONFIG_INSECURE', settings: ['trustedProxies'], refuses: 'must not be the whole network', violated: (config) => config.trustedProxies.some((network) => network.endsWith('/0')) },
  { code: 'CONFIG_INVALID', settings: ['publicUrl'], refuses: 'must be set when the gateway listens beyond this machine or behind a proxy: tokens are issued for it', violated: (config) => config.publicUrl === undefined && (beyondLoopback(config.host) || config.tlsTerminatedByProxy) },
  { code: 'CONFIG_INSECURE', settings: ['publicUrl'], refuses: 'must be https beyond this machine', violated: (config) => insecureUrl(config.publicUrl) },
  { code: 'CONFIG_INVALID', settings: ['publicUrl', 'tlsCertFile'], refuses: 'contradict each other: with TLS the public URL is https', violated: (config) => hasTls(config) && (config.publicUrl?.startsWith('http://') ?? false) },
  { code: 'CONFIG_INSECURE', settings: ['issuerUrl'], refuses: 'must be https beyond this machine', violated: (config) => insecureUrl(config.issuerUrl) },
  { code: 'CONFIG_INSECURE', settings: ['issuerPublicUrl'], refuses: 'must be https beyond this machine', violated: (config) => insecureUrl(config.issuerPublicUrl) },
  { code: 'CONFIG_INVALID', settings: ['issuerUrl', 'issuerHost', 'issuerPort', 'issuerPublicUrl'], refuses: 'contradict each other: the authorization server is either the platform\'s own (the first) or the gateway\'s (the others)', violated: (config, given) => config.issuerUrl !== undefined && (['issuerHost', 'issuerPort', 'issuerPublicUrl'] as const).some((name) => given.has(name)) },
  { code: 'CONFIG_INVALID', settings: ['issuerPublicUrl'], refuses: 'must be set when the gateway\'s own authorization server is reached beyond this machine or behind a proxy', violated: (config) => config.issuerUrl === undefined && config.issuerPublicUrl === undefined && (beyondLoopback(config.issuerHost ?? config.host) || config.tlsTerminatedByProxy) },
  { code: 'CONFIG_INVALID', settings: ['publicUrl', 'issuerPublicUrl'], refuses: 'must differ: gateway and authorization server are two servers', violated: (config) => config.publicUrl !== undefined && config.issuerPublicUrl !== undefined && new URL(config.publicUrl).origin === new URL(config.issuerPublicUrl).origin },
  { code: 'CONFIG_INVALID', settings: ['port', 'issuerPort'], refuses: 'must differ', violated: (config) => config.issuerUrl === undefined && samePort(config.port, config.issuerPort) },
  { code: 'CONFIG_INVALID', settings: ['port', 'metricsPort'], refuses: 'must differ', violated: (config) => samePort(config.port, config.metricsPort) },
  { code: 'CONFIG_INVALID', settings: ['issuerPort', 'metricsPort'], refuses: 'must differ', violated: (config) => config.issuerUrl === undefined && samePort(config.issuerPort, config.metricsPort) },
  { code: 'CONFIG_INVALID', settings: ['databasePort', 'port', 'issuerPort', 'metricsPort'], refuses: 'must differ from the first', violated: (config) => config.databaseUrl === undefined && [config.port, config.issuerPort, config.metricsPort].some((port) => samePort(config.databasePort, port)) },
  { code: 'CONFIG_INVALID', settings: ['workerMetricsPort', 'port', 'issuerPort', 'metricsPort'], refuses: 'must differ from the others', violated: (config) => config.workerMetricsPort !== undefined && [config.port, config.issuerPort, config.metricsPort].some((port) => samePort(config.workerMetricsPort, port)) },
  { code: 'CONFIG_INVALID', settings: ['databaseUrl'], refuses: 'must be a PostgreSQL URL that names a host and a database', violated: (config) => config.databaseUrl !== undefined && ((databaseAddress(config.databaseUrl)?.hostname ?? '') === '' || (databaseAddress(config.databaseUrl)?.pathname.length ?? 0) < 2) },
  { code: 'CONFIG_INSECURE', settings: ['databaseUrl'], refuses: 'leads beyond this machine without verified TLS: append sslmode=verify-full', violated: (config) => databaseIsRemote(config) && databaseAddress(config.databaseUrl ?? '')?.searchParams.getAll('sslmode').join() !== 'verify-full' },
  { code: 'CONFIG_INSECURE', settings: ['databaseUrl'], refuses: `has a parameter that is none of ${[...databaseParameters].join(', ')}: it could lead elsewhere`, violated: (config) => config.databaseUrl !== undefined && [...(databaseAddress(config.databaseUrl)?.searchParams.keys() ?? [])].some((name) => !databaseParameters.has(name)) },
  { code: 'CONFIG_INSECURE', settings: ['databaseUrl'], refuses: 'has a password shorter than 12 characters for a server beyond this machine', violated: (config) => databaseIsRemote(config) && password(config) !== '' && password(config).length < 12 },
  { code: 'CONFIG_INVALID', settings: ['databaseUrl', 'databaseFolder', 'databasePort'], refuses: 'contradict each other: the database is either the platform\'s own (the first) or the gateway\'s (the others)', violated: (config, given) => config.databaseUrl !== undefined && (given.has('databaseFolder') || given.has('databasePort')) },
  { code: 'CONFIG_INVALID', settings: ['workers', 'databaseConnections'], refuses: `ask for more than the ${ownDatabaseConnectionsMax} connections of the gateway's own PostgreSQL`, violated: (config) => config.databaseUrl === undefined && config.workers * config.databaseConnections > ownDatabaseConnectionsMax },
  { code: 'CONFIG_INVALID', settings: ['custodian', 'custodianUrl', 'custodianId', 'custodianKeyFile'], refuses: 'contradict each other: a remote custodian needs the other three, and only a remote one has them', violated: (config) => [config.custodianUrl, config.custodianId, config.custodianKeyFile].some((given) => (given !== undefined) !== (config.custodian === 'remote')) },
  { code: 'CONFIG_INSECURE', settings: ['custodianUrl'], refuses: 'must be https beyond this machine', violated: (config) => insecureUrl(config.custodianUrl) },
  { code: 'CONFIG_INVALID', settings: ['custodianKeyFile'], refuses: 'is not a file', violated: (config) => config.custodianKeyFile !== undefined && !isFile(config.custodianKeyFile) },
  { code: 'CONFIG_INSECURE', settings: ['custodianFolder'], refuses: 'or a file in it can be read by others: chmod 700 the folder, 600 the files', violated: (config) => config.custodian === 'own' && config.custodianFolder !== undefined && folderOpenToOthers(config.custodianFolder) },
  { code: 'CONFIG_INVALID', settings: ['policyFolder'], refuses: 'is not a folder', violated: (config) => !isFolder(config.policyFolder) },
  { code: 'CONFIG_INSECURE', settings: ['keysFolder'], refuses: 'or a file in it can be read by others: chmod 700 the folder, 600 the files', violated: (config) => folderOpenToOthers(config.keysFolder) },
  { code: 'CONFIG_INVALID', settings: ['officersFile'], refuses: 'is not a file', violated: (config) => config.officersFile !== undefined && !isFile(config.officersFile) },
  { code: 'CONFIG_INVALID', settings: ['logFile'], refuses: 'stands in a folder that is not there', violated: (config) => config.logFile !== undefined && !isFolder(path.dirname(path.resolve(config.logFile))) },
  { code: 'CONFIG_INSECURE', settings: ['witnesses'], refuses: 'must be https beyond this machine', violated: (config) => config.witnesses.some(({ url }) => insecureUrl(url)) },
  { code: 'CONFIG_INVALID', settings: ['witnesses'], refuses: 'name one verifier key twice', violated: (config) => new Set(config.witnesses.map(({ vkey }) => vkey)).size < config.witnesses.length },
  { code: 'CONFIG_INSECURE', settings: ['metricsHost'], refuses: 'serves metrics beyond this machine: set VEILGATE_METRICS_TOKEN', violated: (config) => (config.metricsPort ?? config.workerMetricsPort) !== undefined && beyondLoopback(config.metricsHost) && config.metricsToken === undefined },
  { code: 'CONFIG_INSECURE', settings: ['metricsToken'], refuses: 'can be guessed: use at least 32 random characters', violated: (config) => config.metricsToken !== undefined && guessable(config.metricsToken) },
  { code: 'CONFIG_INVALID', settings: ['requestTimeoutSeconds', 'uploadTimeoutSeconds'], refuses: 'contradict each other: a file of records may take no less than any other request', violated: (config) => config.uploadTimeoutSeconds < config.requestTimeoutSeconds },
];

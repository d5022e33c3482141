import path from 'node:path';
import { beyondLoopback, certificateFault, databaseAddress, databaseParameters, folderOpenToOthers, insecureUrl, isFile, isFolder, isRemoteDatabase, openToOthers, validNetwork } from '../settings/conditions.ts';
import { settingsHelp, settingsTables } from '../settings/page.ts';
import { readSettings, type SettingsCheck, type SettingsForm } from '../settings/read.ts';
import { custodianSettings, type CustodianConfig } from './settings.ts';

const hasTls = (config: CustodianConfig) => config.tlsCertFile !== undefined && config.tlsKeyFile !== undefined;

export const custodianChecks: readonly SettingsCheck<typeof custodianSettings>[] = [
  { code: 'CONFIG_INSECURE', settings: ['host'], refuses: 'listens beyond this machine without TLS: set CUSTODIAN_TLS_CERT_FILE and CUSTODIAN_TLS_KEY_FILE, or CUSTODIAN_TLS_TERMINATED_BY_PROXY', violated: (config) => beyondLoopback(config.host) && !hasTls(config) && !config.tlsTerminatedByProxy },
  { code: 'CONFIG_INVALID', settings: ['tlsCertFile', 'tlsKeyFile'], refuses: 'come together or not at all', violated: (config) => (config.tlsCertFile === undefined) !== (config.tlsKeyFile === undefined) },
  { code: 'CONFIG_INVALID', settings: ['tlsCertFile', 'tlsKeyFile'], refuses: 'must be a readable certificate that has not expired and its private key, in PEM form', violated: (config, _given, nowMs) => certificateFault(config, nowMs) !== undefined },
  { code: 'CONFIG_INSECURE', settings: ['tlsKeyFile'], refuses: 'can be read by others: chmod 600', violated: (config) => config.tlsKeyFile !== undefined && openToOthers(config.tlsKeyFile) },
  { code: 'CONFIG_INVALID', settings: ['trustedProxies'], refuses: 'must be addresses or networks in CIDR form, and say which proxies may connect when TLS ends at a proxy and the custodian listens beyond this machine', violated: (config) => !config.trustedProxies.every(validNetwork) || (config.tlsTerminatedByProxy && beyondLoopback(config.host) && config.trustedProxies.length === 0) },
  { code: 'CONFIG_INVALID', settings: ['gatewayJwksFile', 'gatewayJwksUrl'], refuses: 'contradict each other: the gateway\'s keys come from a file or are fetched', violated: (config) => config.gatewayJwksFile !== undefined && config.gatewayJwksUrl !== undefined },
  { code: 'CONFIG_INVALID', settings: ['gatewayJwksFile'], refuses: 'is not a file', violated: (config) => config.gatewayJwksFile !== undefined && !isFile(config.gatewayJwksFile) },
  { code: 'CONFIG_INSECURE', settings: ['gatewayJwksUrl', 'gatewayUrl'], refuses: 'must be https beyond this machine', violated: (config) => insecureUrl(config.gatewayJwksUrl) || insecureUrl(config.gatewayUrl) },
  { code: 'CONFIG_INSECURE', settings: ['gatewayJwksUrl', 'gatewayKeyThumbprints'], refuses: 'come together: keys that are fetched count only when their thumbprint is pinned', violated: (config) => config.gatewayJwksUrl !== undefined && config.gatewayKeyThumbprints.length === 0 },
  { code: 'CONFIG_INVALID', settings: ['databaseUrl'], refuses: 'must be a PostgreSQL URL that names a host and a database', violated: (config) => config.databaseUrl !== undefined && ((databaseAddress(config.databaseUrl)?.hostname ?? '') === '' || (databaseAddress(config.databaseUrl)?.pathname.length ?? 0) < 2) },
  { code: 'CONFIG_INSECURE', settings: ['databaseUrl'], refuses: `leads beyond this machine without verified TLS (append sslmode=verify-full), or has a parameter that is none of ${[...databaseParameters].join(', ')}`, violated: (config) => databaseIsOpen(config.databaseUrl) },
  { code: 'CONFIG_INVALID', settings: ['databaseUrl', 'databaseFolder'], refuses: 'contradict each other: the database is either one that is there (the first) or the custodian\'s own', violated: (config, given) => config.databaseUrl !== undefined && given.has('databaseFolder') },
  { code: 'CONFIG_INSECURE', settings: ['keysFolder'], refuses: 'or a file in it can be read by others: chmod 700 the folder, 600 the files', violated: (config) => folderOpenToOthers(config.keysFolder) },
  { code: 'CONFIG_INVALID', settings: ['logFile'], refuses: 'stands in a folder that is not there', violated: (config) => config.logFile !== undefined && !isFolder(path.dirname(path.resolve(config.logFile))) },
  { code: 'CONFIG_INVALID', settings: ['bankTicketsPerSecond', 'ticketsPerSecond'], refuses: 'contradict each other: one bank may not have more than all', violated: (config) => config.bankTicketsPerSecond > config.ticketsPerSecond },
];

const form: SettingsForm<typeof custodianSettings> = {
  table: custodianSettings, prefix: 'CUSTODIAN_', foreignPrefixes: [], fileVariable: 'CUSTODIAN_CONFIG_FILE', origins: ['gatewayUrl'], checks: custodianChecks,
};

/**
 * The settings of a custodian (docs/custodian.md): environment over file over defaults.
 * @param file JSON or YAML; wins over the one that CUSTODIAN_CONFIG_FILE names
 * Errors: CONFIG_INVALID, CONFIG_INSECURE.
 */
export function readCustodianConfig(env: NodeJS.ProcessEnv, nowMs: number, file?: string): CustodianConfig {
  return readSettings(form, env, nowMs, file);
}

/** The settings' part of docs/custodian.md; a test holds the two together. */
export function custodianSettingsPage(): string {
  return [
    ...settingsTables('CUSTODIAN_', custodianSettings).map((line) => line.replace(/^## /, '### ')),
    '### What it refuses to start with',
    '',
    '| Settings | Refused because it |',
    '|---|---|',
    ...custodianChecks.map((check) => `| ${check.settings.map((name) => `\`${custodianSettings[name].env}\``).join(', ')} | ${check.refuses} (\`${check.code}\`) |`),
  ].join('\n');
}

export function custodianHelp(): string {
  return ['Settings are environment variables; CUSTODIAN_CONFIG_FILE may name a YAML or JSON file with more of them.', ...settingsHelp(custodianSettings), ''].join('\n');
}

function databaseIsOpen(url: string | undefined): boolean {
  const parameters = databaseAddress(url ?? '')?.searchParams;
  if (parameters === undefined) return false;
  return (isRemoteDatabase(url) && parameters.getAll('sslmode').join() !== 'verify-full') || [...parameters.keys()].some((name) => !databaseParameters.has(name));
}

import { readSettings, type SettingsForm } from '../settings/read.ts';
import { configChecks } from './config-checks.ts';
import { settings, type Config } from './config-settings.ts';

export type { Config, Witness } from './config-settings.ts';
export { isLoopback } from './config-checks.ts';

const form: SettingsForm<typeof settings> = {
  table: settings,
  prefix: 'VEILGATE_',
  // for the command line client, and none of the gateway's business
  foreignPrefixes: ['VEILGATE_CLI_'],
  fileVariable: 'VEILGATE_CONFIG_FILE',
  origins: ['publicUrl', 'issuerPublicUrl'],
  checks: configChecks,
};

/**
 * The settings of a gateway (docs/configuration.md).
 * @param env such as process.env
 * @param file JSON or YAML; wins over the one that VEILGATE_CONFIG_FILE names
 * Errors: CONFIG_INVALID, CONFIG_INSECURE; `detail.settings` names the variables concerned, no value is shown.
 */
export function readConfig(env: NodeJS.ProcessEnv, file?: string): Config {
  return readSettings(form, env, Date.now(), file);
}

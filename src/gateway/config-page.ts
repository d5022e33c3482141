import { configChecks } from './config-checks.ts';
import { settingsHelp, settingsTables } from '../settings/page.ts';
import { settings } from './config-settings.ts';

/** docs/configuration.md as the settings and checks in code say it; a test holds the two together. */
export function configurationPage(): string {
  return [
    '# Configuration',
    '',
    '<!-- Made from src/gateway/config-settings.ts and config-checks.ts: `UPDATE_DOCS=1 mocha test/gateway/config.test.ts` writes it anew. -->',
    '',
    'A gateway (`npm start`) reads its settings from environment variables and, when `VEILGATE_CONFIG_FILE` names one, from a YAML or JSON file. A variable wins over the file, the file over the default. In the file a setting is called like its variable, in lower case and without `VEILGATE_`. A secret (`DATABASE_URL`, `VEILGATE_METRICS_TOKEN`) may also stand in a file of its own, readable by its owner alone, that `<NAME>_FILE` names. Relative files and folders start at the working directory. Unknown names starting with `VEILGATE_` are refused, except `VEILGATE_CLI_…`, which are for the command line client.',
    '',
    ...settingsTables('VEILGATE_', settings),
    '## What a gateway refuses to start with',
    '',
    'The error names the settings and never shows a value. `CONFIG_INSECURE` stands for settings that would expose something, `CONFIG_INVALID` for ones that are malformed or contradict each other.',
    '',
    '| Settings | Refused because it |',
    '|---|---|',
    ...configChecks.map((check) => `| ${check.settings.map((name) => `\`${settings[name].env}\``).join(', ')} | ${check.refuses} (\`${check.code}\`) |`),
    '',
    '## Example',
    '',
    '```yaml',
    '# veilgate.yaml: behind a proxy that speaks TLS, two processes, a database of the platform\'s own',
    'host: 10.0.0.5',
    'public_url: https://gateway.example',
    'tls_terminated_by_proxy: true',
    'trusted_proxies: [10.0.0.2]',
    'workers: 2',
    'issuer_public_url: https://sign-in.gateway.example',
    'audit_log_origin: gateway.example/log',
    'metrics_port: 9464',
    '```',
    '',
  ].join('\n');
}

/** The settings as plain text for `--help`. */
export function configHelp(): string {
  return ['Settings are environment variables; VEILGATE_CONFIG_FILE may name a YAML or JSON file with more of them.', ...settingsHelp(settings), ''].join('\n');
}

import { fileKeyOf, type Setting, type SettingsTable } from './setting.ts';

/** A table of settings as Markdown, one heading a group. */
export function settingsTables(prefix: string, table: SettingsTable): readonly string[] {
  return [...groupsOf(table)].flatMap(([group, members]) => [
    `## ${group}`,
    '',
    '| Variable | In a file | Value | Default | Meaning |',
    '|---|---|---|---|---|',
    ...members.map((setting) => `| \`${setting.env}\` | \`${fileKeyOf(prefix, setting)}\` | ${setting.form} | ${defaultText(setting, (text) => `\`${text}\``)} | ${setting.meaning} |`),
    '',
  ]);
}

/** The same as plain text, for `--help`. */
export function settingsHelp(table: SettingsTable): readonly string[] {
  const width = Math.max(...Object.values(table).map((setting) => setting.env.length));
  return [...groupsOf(table)].flatMap(([group, members]) => [
    '', `${group}:`,
    ...members.map((setting) => `  ${setting.env.padEnd(width)}  ${setting.meaning.replaceAll('`', '')} (${setting.form}; default: ${defaultText(setting, (text) => text)})`),
  ]);
}

function groupsOf(table: SettingsTable): Map<string, Setting<unknown>[]> {
  return Map.groupBy(Object.values(table), (setting) => setting.group);
}

function defaultText(setting: Setting<unknown>, shown: (text: string) => string): string {
  if (setting.default === undefined || (Array.isArray(setting.default) && setting.default.length === 0)) return 'none';
  return shown(String(setting.default));
}

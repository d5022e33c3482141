/**
 * Matches a name against a pattern in which `*` stands for any characters, in linear time: no regular
 * expression is built from what a policy holds.
 */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0] as string;
  if (parts.length === 1) return pattern === name;
  const last = parts.at(-1) as string;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** The names a pattern stands for, in the order given. */
export function namesMatching(pattern: string, names: readonly string[]): string[] {
  return pattern.includes('*') ? names.filter((name) => matches(pattern, name)) : names.filter((name) => name === pattern);
}

/** Ids, codes and the like: nothing that an array's text form would take for its own, and no NULL. */
const plain = /^[A-Za-z0-9_.:@-]{5,}$/;

/**
 * An array as PostgreSQL reads it, for a parameter of thousands of elements. The driver searches each element twice for
 * what must be escaped and puts all of them into quotes; ids and numbers are taken as they are.
 */
export function arrayParameter(values: readonly (string | number | null)[]): string {
  let text = '{';
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as string | number | null;
    if (at > 0) text += ',';
    if (value === null) text += 'NULL';
    else if (typeof value === 'number' || plain.test(value)) text += value;
    else text += `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
  }
  return `${text}}`;
}

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '../..');

/** Folders and endings of .gitignore, and git's own: what nobody commits. */
const ignored = ['.git', ...readFileSync(path.join(root, '.gitignore'), 'utf8').split('\n').filter((line) => line !== '')];

/** Paths, relative to the root, of every file that is in the repository or may become so; git need not be there. */
export function repositoryFiles(folder = ''): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    if (isIgnored(file, entry.name)) return [];
    if (entry.isDirectory()) return repositoryFiles(file);
    return entry.isFile() ? [file] : [];
  });
}

function isIgnored(file: string, name: string): boolean {
  return ignored.some((pattern) => {
    if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
    const plain = pattern.replace(/\/$/, '');
    return plain.includes('/') ? file === plain : name === plain;
  });
}

export function textOf(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

/**
 * What a TypeScript file imports, types and dynamic imports included: files relative to the root, packages by
 * name, modules of Node as `node:…`.
 */
export function importsOf(file: string): string[] {
  const text = textOf(file);
  const specifiers = [
    ...text.matchAll(/^(?:import|export)\b[^'";]*?\bfrom\s+'([^']+)'/gm),
    ...text.matchAll(/^import\s+'([^']+)'/gm),
    ...text.matchAll(/\bimport\(\s*'([^']+)'/g),
  ].map(([, specifier]) => specifier ?? '');
  return specifiers.map((specifier) => {
    if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(file), specifier);
    if (specifier.startsWith('node:')) return specifier;
    return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  });
}

/** The first folder below src, or the file itself where it stands in src directly. */
export function roomOf(file: string): string {
  return file.split('/')[1] ?? '';
}

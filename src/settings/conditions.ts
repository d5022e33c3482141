import { X509Certificate, createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';

/** What checks of settings ask about addresses, files and databases. */

/** True for the names and addresses of this machine alone. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

export const beyondLoopback = (host: string) => !isLoopback(host);
export const insecureUrl = (url: string | undefined) => url !== undefined && url.startsWith('http://') && beyondLoopback(new URL(url).hostname);
const windows = process.platform === 'win32';

/** True when anybody but the owner may read, write or enter. */
export function openToOthers(file: string): boolean {
  return !windows && existsSync(file) && (statSync(file).mode & 0o077) !== 0;
}

export function folderOpenToOthers(folder: string): boolean {
  if (!existsSync(folder)) return false;
  return openToOthers(folder) || readdirSync(folder).some((name) => openToOthers(path.join(folder, name)));
}

export function isFile(file: string): boolean {
  return existsSync(file) && statSync(file).isFile();
}

export function isFolder(folder: string): boolean {
  return existsSync(folder) && statSync(folder).isDirectory();
}

export type TlsFiles = { readonly tlsCertFile: string | undefined; readonly tlsKeyFile: string | undefined };

/** Undefined where there is no readable pair: other checks say that. */
export function certificateFault(files: TlsFiles, nowMs: number): 'unreadable' | 'mismatch' | 'expired' | undefined {
  if (files.tlsCertFile === undefined || files.tlsKeyFile === undefined) return undefined;
  try {
    const certificate = new X509Certificate(readFileSync(files.tlsCertFile));
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(files.tlsKeyFile)))) return 'mismatch';
    return Date.parse(certificate.validTo) <= nowMs ? 'expired' : undefined;
  } catch {
    return 'unreadable';
  }
}

/** Parameters that cannot turn a checked address into another one. */
export const databaseParameters: ReadonlySet<string> = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'application_name', 'connect_timeout', 'statement_timeout', 'options']);

export function databaseAddress(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

/** True for a database that is reached over a network. */
export function isRemoteDatabase(url: string | undefined): boolean {
  const address = url === undefined ? undefined : databaseAddress(url);
  return address !== undefined && address.hostname !== '' && beyondLoopback(address.hostname);
}

/** True for an address or a network in CIDR form. */
export function validNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128));
}

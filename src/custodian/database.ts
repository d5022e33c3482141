import path from 'node:path';
import { startCluster } from '../store/cluster.ts';
import { applySchema, createDatabase, openDatabase, schemaFiles, type Database } from '../store/database.ts';
import type { CustodianConfig } from './settings.ts';

export type OpenedDatabase = { readonly database: Database; readonly close: () => Promise<void> };

const schemaFile = path.join(import.meta.dirname, 'schema', '100-custodian.sql');
const connections = 8;

/**
 * The custodian's own database, with the schema of the audit log and its own: the one configured, made when it is missing
 * and that is allowed, or one on a server that it starts, or finds running, itself.
 * Errors: STORE_UNAVAILABLE, STORE_SCHEMA_MISMATCH.
 */
export async function openCustodianDatabase(config: Pick<CustodianConfig, 'databaseUrl' | 'databaseFolder' | 'databaseTimeoutSeconds'>): Promise<OpenedDatabase> {
  const cluster = config.databaseUrl === undefined ? await startCluster({ folder: config.databaseFolder, keepRunning: true }) : undefined;
  const url = config.databaseUrl ?? cluster?.url() ?? '';
  const database = openDatabase({ url, maxConnections: connections, applicationName: 'veilgate custodian', statementTimeoutMs: config.databaseTimeoutSeconds * 1000 });
  const close = async () => {
    await database.close();
    await cluster?.stop();
  };
  try {
    if (config.databaseUrl !== undefined) await createDatabase(url);
    await applySchema(database, [...schemaFiles('audit'), schemaFile]);
    return { database, close };
  } catch (error) {
    await close();
    throw error;
  }
}

import type { Database } from '../store/database.ts';
import { checkpointHistory, auditReader, shownRecords } from './read.ts';
import { encodeBundle, tileWidth } from './tile.ts';
import type { LogReader } from './log-reader.ts';

/**
 * The log as it stands in the database, records included, for a verifier next to it. Unlike what the platform
 * serves, entries are handed out as they are found, so that the first one that is missing can be named.
 */
export function databaseLogReader(database: Database): LogReader {
  const { checkpoint, tile } = auditReader(database);
  return {
    checkpoint,
    tile,
    async entries(index, width) {
      const first = index * tileWidth;
      const found = await database.query<{ index: number; commitment: Buffer }>({
        name: 'audit found', text: 'select index, commitment from audit_entry where index >= $1 and index < $2 order by index', values: [first, first + width],
      });
      const gap = found.rows.findIndex((row, at) => row.index !== first + at);
      return encodeBundle((gap < 0 ? found.rows : found.rows.slice(0, gap)).map(({ commitment }) => commitment));
    },
    records: (index, width) => shownRecords(database, index, width),
    history: (afterSize) => checkpointHistory(database, afterSize),
  };
}

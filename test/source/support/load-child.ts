// A loader of its own, to be killed in the middle: `node load-child.ts <database url>`, NDJSON of `thing` on stdin.
import { systemClock } from '../../../src/clock.ts';
import { loadRecords } from '../../../src/source/ingest.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { catalogueOf, thingYaml } from './fixtures.ts';

const database = openDatabase({ url: process.argv[2] ?? '', maxConnections: 1 });
await loadRecords(database, {
  catalogue: catalogueOf({ 'thing.yaml': thingYaml }), dataset: 'thing', supplier: 'depot', format: 'ndjson', stream: process.stdin, errorLimit: 0, clock: systemClock,
  onProgress: ({ rows }) => { process.stdout.write(`${rows}\n`); },
});

/** Every setting of a custodian: the one table from which reading, checking, `--help` and docs/custodian.md come. */
import { choice, flag, integer, network, optionalText, text, texts, webOrigin, webUrl, type ConfigOf } from '../settings/setting.ts';

const server = 'Server' as const;
const gateway = 'The gateway it works for' as const;
const keeping = 'Database, keys and log' as const;
const limits = 'Limits' as const;

export const custodianSettings = {
  id: text({ env: 'CUSTODIAN_ID', group: server, default: 'custodian', pattern: '^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$', form: 'name', meaning: 'What it is called: audience of tickets, issuer of statements and of its half of a result.' }),
  host: text({ env: 'CUSTODIAN_HOST', group: server, default: '127.0.0.1', meaning: 'Address to listen on.' }),
  port: integer({ env: 'CUSTODIAN_PORT', group: server, default: 8090, min: 0, max: 65535, meaning: 'TCP port to listen on; 0 takes a free one.' }),
  tlsCertFile: optionalText({ env: 'CUSTODIAN_TLS_CERT_FILE', group: server, form: 'file', meaning: 'Certificate chain in PEM form. Read again on SIGHUP.' }),
  tlsKeyFile: optionalText({ env: 'CUSTODIAN_TLS_KEY_FILE', group: server, form: 'file', meaning: 'Private key of the certificate in PEM form, readable by its owner alone.' }),
  tlsTerminatedByProxy: flag({ env: 'CUSTODIAN_TLS_TERMINATED_BY_PROXY', group: server, meaning: 'A proxy in front of it speaks TLS. Then nobody but the trusted proxies may connect, and nobody but this machine when none are named.' }),
  trustedProxies: texts({ env: 'CUSTODIAN_TRUSTED_PROXIES', group: server, pattern: network, max: 32, form: 'addresses or networks, separated by commas', meaning: 'Proxies whose `X-Forwarded-For` is believed.' }),
  drainSeconds: integer({ env: 'CUSTODIAN_DRAIN_SECONDS', group: server, default: 10, min: 0, max: 300, meaning: 'How long requests under way may take to finish after a signal to stop.' }),

  gatewayUrl: optionalText({ env: 'CUSTODIAN_GATEWAY_URL', group: gateway, pattern: webOrigin, form: 'https://host[:port]', meaning: 'Public URL of the gateway: issuer of tickets, audience of banks\' requests. Needed to start.' }),
  gatewayJwksFile: optionalText({ env: 'CUSTODIAN_GATEWAY_JWKS_FILE', group: gateway, form: 'file', meaning: 'JWK set with the keys the gateway signs tickets with, brought here by a way of trust. Only its owner may be able to write it.' }),
  gatewayJwksUrl: optionalText({ env: 'CUSTODIAN_GATEWAY_JWKS_URL', group: gateway, pattern: webUrl, form: 'https://…', meaning: 'Where to fetch that set once, at the start, instead. Of its keys, only those with a pinned thumbprint count.' }),
  gatewayKeyThumbprints: texts({ env: 'CUSTODIAN_GATEWAY_KEY_THUMBPRINTS', group: gateway, pattern: '^[A-Za-z0-9_-]{43}$', max: 20, form: 'RFC 7638 thumbprints, separated by commas', meaning: 'Pinned keys of the gateway, learned by a way of trust. A key is never trusted because it was seen first.' }),

  databaseUrl: optionalText({ env: 'CUSTODIAN_DATABASE_URL', group: keeping, pattern: '^postgres(ql)?://', form: 'postgresql://user:password@host/name?sslmode=verify-full', secret: true, meaning: 'Its own PostgreSQL 18 database; made when it is missing and the user may. Without it, the custodian starts a server of its own.' }),
  databaseFolder: text({ env: 'CUSTODIAN_DATABASE_FOLDER', group: keeping, default: '.data/custodian', form: 'folder', meaning: 'Where the custodian\'s own PostgreSQL keeps its data.' }),
  databaseTimeoutSeconds: integer({ env: 'CUSTODIAN_DATABASE_TIMEOUT_SECONDS', group: keeping, default: 8, min: 1, max: 300, meaning: 'Longest a statement may take.' }),
  keysFolder: text({ env: 'CUSTODIAN_KEYS_FOLDER', group: keeping, default: 'keys/private/custodian', form: 'folder', meaning: 'Homomorphic key pairs, statement key and log key, made at first start, readable by their owner alone.' }),
  logOrigin: text({ env: 'CUSTODIAN_LOG_ORIGIN', group: keeping, default: 'custodian.localhost/log', pattern: '^[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]+)?$', form: 'name without scheme', meaning: 'Name of its audit log in its checkpoints. Never changes once the log has entries.' }),
  checkpointSeconds: integer({ env: 'CUSTODIAN_CHECKPOINT_SECONDS', group: keeping, default: 10, min: 1, max: 3600, meaning: 'Seconds between signed checkpoints of its audit log.' }),
  logLevel: choice({ env: 'CUSTODIAN_LOG_LEVEL', group: keeping, options: ['error', 'warn', 'info', 'debug'], default: 'info', meaning: 'Least important events in its operational log.' }),
  logFile: optionalText({ env: 'CUSTODIAN_LOG_FILE', group: keeping, form: 'file', meaning: 'Where these events are written; without it, standard output.' }),

  threads: integer({ env: 'CUSTODIAN_THREADS', group: limits, default: 1, min: 1, max: 64, meaning: 'Threads that decrypt.' }),
  ciphertextsMax: integer({ env: 'CUSTODIAN_CIPHERTEXTS_MAX', group: limits, default: 17, min: 1, max: 64, meaning: 'Results of one ticket: a score and its reason groups.' }),
  bankSlotsPerDay: integer({ env: 'CUSTODIAN_BANK_SLOTS_PER_DAY', group: limits, default: 5_000_000, min: 1, max: 1_000_000_000, meaning: 'Slots opened for one bank in a day (UTC), over all its requests.' }),
  bankTicketsPerSecond: integer({ env: 'CUSTODIAN_BANK_TICKETS_PER_SECOND', group: limits, default: 200, min: 1, max: 100_000, meaning: 'Tickets a second for one bank.' }),
  ticketsPerSecond: integer({ env: 'CUSTODIAN_TICKETS_PER_SECOND', group: limits, default: 400, min: 1, max: 100_000, meaning: 'Tickets a second altogether.' }),
  addressRequestsPerSecond: integer({ env: 'CUSTODIAN_ADDRESS_REQUESTS_PER_SECOND', group: limits, default: 50, min: 1, max: 100_000, meaning: 'Requests a second from one address that no ticket of the gateway came with; beyond, its bodies are not read.' }),
  requestsInFlight: integer({ env: 'CUSTODIAN_REQUESTS_IN_FLIGHT', group: limits, default: 64, min: 1, max: 10_000, meaning: 'Requests worked on at a time; more are answered 503.' }),
  connections: integer({ env: 'CUSTODIAN_CONNECTIONS', group: limits, default: 500, min: 1, max: 100_000, meaning: 'Open connections; more are closed at once.' }),
  headersTimeoutSeconds: integer({ env: 'CUSTODIAN_HEADERS_TIMEOUT_SECONDS', group: limits, default: 10, min: 1, max: 120, meaning: 'How long a caller may take to send the headers of a request.' }),
  requestTimeoutSeconds: integer({ env: 'CUSTODIAN_REQUEST_TIMEOUT_SECONDS', group: limits, default: 15, min: 1, max: 120, meaning: 'How long a caller may take to send a body.' }),
  refusalMs: integer({ env: 'CUSTODIAN_REFUSAL_MS', group: limits, default: 100, min: 0, max: 10_000, meaning: 'A refusal leaves at a whole multiple of this time after its request came, so that its time does not tell which check said no.' }),
};

/** A custodian's settings after all checks. */
export type CustodianConfig = ConfigOf<typeof custodianSettings>;

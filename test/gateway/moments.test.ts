import { strict as assert } from 'node:assert';
import { isVeilgateError } from '../../src/errors.ts';
import { named, SchemaCompiler } from '../../src/gateway/schema/compile.ts';
import { wordSchemas } from '../../src/gateway/schema/words.ts';

describe('gateway/schema: days and moments', () => {
  const compiler = new SchemaCompiler(wordSchemas);
  const takes = (name: 'Date' | 'Time', value: string) => {
    try {
      return compiler.request(named(name), 'query')(value) === value;
    } catch (error) {
      if (!isVeilgateError(error, 'REQUEST_INVALID')) throw error;
      return false;
    }
  };

  it('are those that every part of the platform can count with', () => {
    for (const time of ['2026-01-31T08:00:00.000Z', '2026-01-31T23:59:59Z', '2026-01-31T08:00:00+08:00', '1970-01-01T00:00:00Z', '2024-02-29T00:00:00.123456Z']) {
      assert.equal(takes('Time', time), true, time);
      assert.ok(Number.isFinite(Date.parse(time)));
    }
    for (const day of ['1949-10-01', '2024-02-29', '2026-12-31']) assert.equal(takes('Date', day), true, day);
  });

  it('are refused by name otherwise: leap seconds, years of one kind of clock only, days that are none', () => {
    for (const time of ['2016-12-31T23:59:60Z', '2026-06-30T23:59:60Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '1969-12-31T23:59:59Z', '2026-02-30T00:00:00Z', '2026-01-31', '2026-01-31T08:00:00']) assert.equal(takes('Time', time), false, time);
    for (const day of ['0000-01-01', '9999-12-31', '2026-02-30', '2025-02-29', '26-01-01', '2026-1-1']) assert.equal(takes('Date', day), false, day);
  });
});

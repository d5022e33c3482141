import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { aimedSocket } from '../../src/store/aimed-socket.ts';
import { divertCopyData } from '../../src/store/copy-data.ts';

const message = (kind: string, content: Buffer) => {
  const head = Buffer.alloc(5, kind);
  head.writeUInt32BE(4 + content.length, 1);
  return Buffer.concat([head, content]);
};

describe('data of a COPY, before the driver gets it', () => {
  const rows = [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(70, 7), Buffer.from('Z')];
  const around = { before: [message('H', Buffer.from('copy begins')), message('N', Buffer.alloc(0))], after: [message('c', Buffer.alloc(0)), message('C', Buffer.from('COPY 4\0')), message('Z', Buffer.from('I'))] };
  const whole = Buffer.concat([...around.before, ...rows.map((row) => message('d', row)), ...around.after]);

  it('goes to who asked for it, everything else to the driver, wherever the pieces are cut', () => {
    for (let size = 1; size <= whole.length; size += 1) {
      const stream = new PassThrough();
      const passed: Buffer[] = [];
      const parser = (chunk: Buffer) => { passed.push(chunk); };
      stream.on('data', parser);
      const taken: Buffer[] = [];
      const lengths: number[] = [];
      divertCopyData(stream, { message: (length) => { lengths.push(length); taken.push(Buffer.alloc(0)); }, piece: (bytes) => { taken.push(Buffer.concat([taken.pop() ?? bytes, bytes])); } });
      for (let at = 0; at < whole.length; at += size) stream.emit('data', whole.subarray(at, at + size));
      assert.deepEqual(lengths, rows.map(({ length }) => length));
      assert.deepEqual(taken, rows);
      assert.deepEqual(Buffer.concat(passed), Buffer.concat([...around.before, ...around.after]));
      assert.deepEqual(stream.listeners('data'), [parser], 'the driver has its connection back');
    }
  });

  it('is read from an aimed socket to where it belongs, wherever the pieces are cut', async () => {
    const long = [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(200_000, 7), Buffer.from('Z')];
    const sent = Buffer.concat([...around.before, ...long.map((row) => message('d', row)), ...around.after]);
    const others = Buffer.concat([...around.before, ...around.after]);
    for (const size of [997, 65_000, sent.length]) {
      const server = createServer({ noDelay: true }, async (peer) => {
        for (let at = 0; at < sent.length; at += size) {
          peer.write(sent.subarray(at, at + size));
          await new Promise(setImmediate);
        }
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const socket = aimedSocket();
      const taken: { readonly row: Buffer; written: number; placed: number }[] = [];
      const passed: Buffer[] = [];
      const done = new Promise<void>((resolve) => {
        socket.on('data', (chunk: Buffer) => {
          passed.push(chunk);
          if (Buffer.concat(passed).length >= others.length) resolve();
        });
      });
      const latest = () => taken.at(-1) ?? assert.fail('no row has begun');
      divertCopyData(socket, {
        message: (length) => { taken.push({ row: Buffer.alloc(length), written: 0, placed: 0 }); },
        piece: (bytes) => { latest().written += bytes.copy(latest().row, latest().written); },
        room: () => latest().row.subarray(latest().written),
        wrote: (length) => {
          latest().written += length;
          latest().placed += length;
        },
      });
      socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
      await done;
      socket.destroy();
      server.close();
      assert.ok(taken.every(({ row }, at) => long[at]?.equals(row)) && taken.length === long.length, `in pieces of ${size}`);
      assert.deepEqual(Buffer.concat(passed), others);
      assert.ok((taken[2]?.placed ?? 0) > 100_000, 'most of the long row was read straight to its place');
    }
  });

  it('lets another COPY begin the moment the server is ready', () => {
    const stream = new PassThrough();
    const taken: string[] = [];
    const sink = (name: string) => ({ message: () => {}, piece: (bytes: Buffer) => { taken.push(`${name} ${bytes.toString()}`); } });
    stream.on('data', (chunk: Buffer) => { if (chunk.toString() === 'I' && taken.length === 1) divertCopyData(stream, sink('second')); });
    divertCopyData(stream, sink('first'));
    for (let round = 0; round < 2; round += 1) stream.emit('data', Buffer.concat([message('d', Buffer.from('row')), message('Z', Buffer.from('I'))]));
    assert.deepEqual(taken, ['first row', 'second row']);
  });

  it('is not taken from a connection that is not what it was', () => {
    assert.throws(() => divertCopyData(new PassThrough(), { message: () => {}, piece: () => {} }), TypeError);
  });
});

import { describe, expect, it, vi } from 'vitest';
import { concat } from '../../src/core/bytes.ts';
import type { StreamsError } from '../../src/core/errors.ts';
import { deliverAll, deliverBytes } from '../../src/transport/deliver.ts';
import { writeToMany } from '../../src/transport/fan-out.ts';
import { StreamResetError } from '../../src/transport/stream-reset-error.ts';
import type {
  BidiStream,
  ReceiveStream,
  SendStream,
  StreamTaker,
  Transport,
  TransportTaker,
} from '../../src/transport/transport.ts';
import { pattern, readAll, writeAll } from './streams.ts';

export type OpenPair = () => Promise<{ client: Transport; server: Transport; close: () => Promise<void> }>;

type Ends = { client: Transport; server: Transport };

async function incoming(transport: Transport): Promise<ReceiveStream> {
  const stream = await transport.acceptUni();
  if (stream === null) throw new Error('the transport closed instead of handing out a stream');
  return stream;
}

async function incomingBidi(transport: Transport): Promise<BidiStream> {
  const stream = await transport.acceptBidi();
  if (stream === null) throw new Error('the transport closed instead of handing out a stream');
  return stream;
}

class Taken implements TransportTaker {
  readonly streams: ReceiveStream[] = [];
  readonly bidis: BidiStream[] = [];
  uni(stream: ReceiveStream): void {
    this.streams.push(stream);
  }
  bidi(stream: BidiStream): void {
    this.bidis.push(stream);
  }
  datagram(): void {}
}

class TakenBytes implements StreamTaker {
  readonly stream: ReceiveStream;
  readonly chunks: Uint8Array[] = [];
  readonly ended: Promise<StreamsError | undefined>;
  ends = 0;
  #end!: (error: StreamsError | undefined) => void;

  constructor(stream: ReceiveStream) {
    this.stream = stream;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    deliverBytes(stream, this);
  }
  bytes(chunk: Uint8Array): void {
    this.chunks.push(chunk);
  }
  end(error: StreamsError | undefined): void {
    this.ends++;
    this.#end(error);
  }
}

/** What every transport promises (src/transport/transport.ts), run on each kind of them. */
export function describeTransport(name: string, open: OpenPair): void {
  describe(`transport: ${name}`, () => {
    const check = (title: string, body: (ends: Ends) => Promise<void>) =>
      it(title, async () => {
        const { client, server, close } = await open();
        try {
          await body({ client, server });
        } finally {
          await close();
        }
      });
    const bothWays = (title: string, body: (from: Transport, to: Transport) => Promise<void>) => {
      check(`${title}, client to server`, ({ client, server }) => body(client, server));
      check(`${title}, server to client`, ({ client, server }) => body(server, client));
    };

    bothWays('a unidirectional stream arrives whole', async (from, to) => {
      const stream = from.openUni();
      await writeAll(stream, pattern(10_000));
      stream.finish();
      expect(await readAll(await incoming(to))).toEqual(pattern(10_000));
      expect(await stream.stopped).toBeNull();
    });

    bothWays('what is taken comes by itself, what waited first', async (from, to) => {
      const early = from.openUni();
      await writeAll(early, pattern(3000));
      const waiting = await incoming(to);
      expect((await waiting.read())!.length).toBeGreaterThan(0);
      await writeAll(from.openBidi().send, pattern(10));
      const taken = new Taken();
      deliverAll(to, taken);
      const late = from.openUni();
      await writeAll(late, pattern(100_000, 5));
      late.finish();
      await vi.waitFor(() => expect([taken.streams.length, taken.bidis.length]).toEqual([1, 1]));
      const bytes = new TakenBytes(taken.streams[0]!);
      expect(await bytes.ended).toBeUndefined();
      expect(Buffer.compare(concat(bytes.chunks), pattern(100_000, 5))).toBe(0);
      const rest = new TakenBytes(waiting);
      early.reset(9);
      expect(await rest.ended).toMatchObject({ code: 'STREAM_RESET', resetCode: 9 });
    });

    bothWays('who stops what he takes hears of the end, later', async (from, to) => {
      const stream = from.openUni();
      await writeAll(stream, pattern(10));
      const bytes = new TakenBytes(await incoming(to));
      await vi.waitFor(() => expect(bytes.chunks.length).toBe(1));
      bytes.stream.stop(3);
      expect(bytes.ends).toBe(0);
      expect(await bytes.ended).toBeUndefined();
      expect(await stream.stopped).toBe(3);
      expect([bytes.chunks.length, bytes.ends]).toEqual([1, 1]);
    });

    bothWays('what is taken ends with the connection', async (from, to) => {
      await writeAll(from.openUni(), pattern(10));
      const bytes = new TakenBytes(await incoming(to));
      await vi.waitFor(() => expect(bytes.chunks.length).toBe(1));
      from.close({ code: 0, reason: '' });
      expect(await bytes.ended).toMatchObject({ code: expect.stringMatching(/^(TRANSPORT_CLOSED|STREAM_RESET)$/) });
      expect(bytes.ends).toBe(1);
    });

    bothWays('an empty stream is a FIN', async (from, to) => {
      from.openUni().finish();
      expect(await (await incoming(to)).read()).toBeNull();
    });

    bothWays('a bidirectional stream carries both directions', async (from, to) => {
      const ours = from.openBidi();
      await writeAll(ours.send, pattern(5000));
      ours.send.finish();
      const theirs = await incomingBidi(to);
      expect(await readAll(theirs.receive)).toEqual(pattern(5000));
      await writeAll(theirs.send, pattern(7000, 3));
      theirs.send.finish();
      expect(await readAll(ours.receive)).toEqual(pattern(7000, 3));
    });

    bothWays('a large transfer arrives whole', async (from, to) => {
      const whole = pattern(3_000_000);
      const stream = from.openUni();
      const sent = writeAll(stream, whole, 64 * 1024).then(() => stream.finish());
      const got = await readAll(await incoming(to));
      await sent;
      expect(got.length).toBe(whole.length);
      expect(Buffer.compare(got, whole)).toBe(0);
    });

    bothWays('a slow reader pushes back, and nothing is lost', async (from, to) => {
      const stream = from.openUni();
      const piece = pattern(64 * 1024);
      let pieces = 0;
      // 64 MiB is beyond any window and queue of ours.
      while (stream.write(piece)) if (++pieces > 1024) throw new Error('write never pushed back');
      expect(stream.queuedBytes).toBeGreaterThan(0);
      const reader = await incoming(to);
      const rest = readAll(reader);
      await stream.writable();
      while (!stream.write(pattern(10))) await stream.writable();
      stream.finish();
      expect((await rest).length).toBe(pieces * piece.length + 10);
    });

    bothWays('a reset reaches a writer that waits', async (from, to) => {
      const stream = from.openUni();
      const piece = pattern(64 * 1024);
      stream.write(piece);
      const reader = await incoming(to);
      while (stream.write(piece));
      const waiting = stream.writable();
      stream.reset(7);
      await waiting;
      expect(stream.write(piece)).toBe(false);
      const error = await readAll(reader).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(StreamResetError);
      expect((error as StreamResetError).resetCode).toBe(7);
    });

    bothWays('many streams keep their order and their bytes', async (from, to) => {
      const count = 200;
      const sent = (async () => {
        for (let i = 0; i < count; i++) {
          const stream = from.openUni({ priority: i % 5 });
          await writeAll(stream, pattern(100 + i, i));
          stream.finish();
        }
      })();
      const got: string[] = [];
      for (let i = 0; i < count; i++) got.push(Buffer.from(await readAll(await incoming(to))).toString('hex'));
      await sent;
      const wanted = Array.from({ length: count }, (_, i) => Buffer.from(pattern(100 + i, i)).toString('hex'));
      expect(got.sort()).toEqual(wanted.sort());
    });

    bothWays('reset and stop codes arrive', async (from, to) => {
      for (const code of [0, 1, 0x1d, 0x1e, 0x3e8, 0xffffffff]) {
        const reset = from.openUni();
        reset.write(pattern(10));
        const resetReader = await incoming(to);
        expect(await resetReader.read()).not.toBeNull();
        reset.reset(code);
        const error = await resetReader.read().catch((e: unknown) => e);
        expect(error).toBeInstanceOf(StreamResetError);
        expect((error as StreamResetError).resetCode).toBe(code);
        expect(await reset.stopped).toBeNull();

        const stopped = from.openUni();
        stopped.write(pattern(10));
        const stopReader = await incoming(to);
        stopReader.stop(code);
        expect(await stopReader.read()).toBeNull();
        expect(await stopped.stopped).toBe(code);
        expect(stopped.write(pattern(10))).toBe(false);
        await stopped.writable();
      }
    });

    bothWays('stop ends a pending read', async (from, to) => {
      const stream = from.openUni();
      stream.write(pattern(10));
      const reader = await incoming(to);
      await reader.read();
      const pending = reader.read();
      reader.stop(3);
      expect(await pending).toBeNull();
      expect(await stream.stopped).toBe(3);
    });

    bothWays('one payload goes to many streams', async (from, to) => {
      const streams: SendStream[] = [];
      for (let i = 0; i < 10; i++) streams.push(from.openUni());
      streams[4]?.reset(9);
      const refused: number[] = [];
      writeToMany(streams, pattern(2000), (index) => refused.push(index));
      for (const stream of streams) stream.finish();
      expect(refused).toEqual([4]);
      let whole = 0;
      for (let i = 0; i < 10; i++) {
        const got = await readAll(await incoming(to)).catch((e: unknown) => e);
        if (got instanceof StreamResetError) expect(got.resetCode).toBe(9);
        else {
          expect(got).toEqual(pattern(2000));
          whole++;
        }
        // A stream reset before its first byte may never be seen.
        if (whole === 9) break;
      }
      expect(whole).toBe(9);
    });

    bothWays('datagrams arrive', async (from, to) => {
      const wanted = new Set<string>();
      for (let i = 0; i < 5; i++) {
        const bytes = pattern(100 + i, i);
        expect(from.sendDatagram(bytes)).toBe(true);
        wanted.add(Buffer.from(bytes).toString('hex'));
      }
      for (let i = 0; i < 5; i++) {
        const bytes = await to.receiveDatagram();
        expect(wanted.delete(Buffer.from(bytes!).toString('hex'))).toBe(true);
      }
      expect(from.sendDatagram(new Uint8Array(100_000))).toBe(false);
    });

    bothWays('close tells the peer code and reason', async (from, to) => {
      const stream = from.openUni();
      stream.write(pattern(10));
      const reader = await incoming(to);
      await reader.read();
      const pending = reader.read().catch((e: unknown) => e);
      const accepting = [from.acceptUni(), from.acceptBidi(), to.acceptUni(), to.acceptBidi()];
      const datagrams = [from.receiveDatagram(), to.receiveDatagram()];
      from.close({ code: 0x1234, reason: 'finished: ü' });
      from.close({ code: 1, reason: 'again' });
      expect(await from.closed).toEqual({ by: 'local', code: 0x1234, reason: 'finished: ü' });
      expect(await to.closed).toEqual({ by: 'peer', code: 0x1234, reason: 'finished: ü' });
      expect(await Promise.all(accepting)).toEqual([null, null, null, null]);
      expect(await Promise.all(datagrams)).toEqual([null, null]);
      expect(await pending).toMatchObject({ code: expect.stringMatching(/^(TRANSPORT_CLOSED|STREAM_RESET)$/) });
      expect(stream.write(pattern(10))).toBe(false);
      await stream.writable();
      expect(await stream.stopped).toBeNull();
      for (const end of [from, to]) {
        expect(await end.acceptUni()).toBeNull();
        expect(await end.acceptBidi()).toBeNull();
        expect(await end.receiveDatagram()).toBeNull();
        expect(end.sendDatagram(pattern(10))).toBe(false);
        const late = end.openUni();
        expect(late.write(pattern(10))).toBe(false);
        await late.writable();
        expect(await late.stopped).toBeNull();
      }
    });
  });
}

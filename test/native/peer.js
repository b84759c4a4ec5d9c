// A process with a QUIC socket, for the tests that need one of its own: `node peer.js <mode> <json>`.
// Plain JavaScript on the bare native module, so that it runs without a build.

import { createRequire } from 'node:module';

const [, , mode, json] = process.argv;
const { native, port, certificatePem, privateKeyPem, resetKey, idleTimeoutMs = 30_000 } = JSON.parse(json);
const { QuicSocket } = createRequire(import.meta.url)(native);

const limits = {
  idleTimeoutMs,
  keepAliveMs: 0,
  maxIncomingUni: 100,
  maxIncomingBidi: 100,
  streamReceiveWindow: 1 << 20,
  connectionReceiveWindow: 8 << 20,
  streamHighWaterBytes: 1 << 20,
  congestionControl: 'cubic',
};

/** Calls `seen(kind, a, b, text)` for every event; see native/src/events.rs. */
function open(seen) {
  const socket = new QuicSocket(() => {
    const batch = Buffer.from(socket.take());
    for (let at = 0; at < batch.length; ) {
      const end = at + 24 + batch.readUInt32LE(at + 4);
      seen(batch[at], batch.readDoubleLE(at + 8), batch.readDoubleLE(at + 16), batch.toString('utf8', at + 24, end));
      at = end;
    }
  }, 2);
  return socket;
}

function connect(socket, to) {
  return socket.connect({
    ip: '127.0.0.1',
    port: to,
    serverName: 'localhost',
    alpn: ['test'],
    trust: 'insecure',
    hashes: [],
    timeoutMs: 5000,
    limits,
  });
}

function listen(socket) {
  return socket.listen({
    ip: '127.0.0.1',
    port: 0,
    alpn: ['test'],
    certificatePem,
    privateKeyPem,
    maxConnections: 10,
    handshakeTimeoutMs: 5000,
    retryAboveHandshakes: 10,
    ...(resetKey && { resetKey: Buffer.from(resetKey, 'hex') }),
    limits,
  });
}

const alive = setInterval(() => {}, 1000);
const kinds = { accepted: 1, connected: 2, failed: 3, closed: 4, uni: 5, data: 7 };

const modes = {
  /** Connects, says hello on a stream and stays until it is killed. */
  stay() {
    const socket = open((kind, a) => {
      if (kind === kinds.connected) socket.write(socket.open(a, false, 0), Buffer.from('hello'));
    });
    connect(socket, port);
  },

  /** Listens, says on which port, and stays until it is killed. */
  serve() {
    process.stdout.write(`${listen(open(() => {})).port}\n`);
  },

  /** process.exit with a listener, connections, and bytes under way in both directions. */
  exit() {
    const socket = open((kind, a, b) => {
      if (kind === kinds.uni) socket.giveCredit(b, 1 << 20);
      if (kind === kinds.data) process.exit(0);
      if (kind !== kinds.connected) return;
      for (let i = 0; i < 20; i++) socket.write(socket.open(a, false, 0), Buffer.alloc(1 << 20, i));
    });
    const { port: own } = listen(socket);
    for (let i = 0; i < 5; i++) connect(socket, own);
  },

  /** Closes what is open and ends by itself, as nothing keeps it. */
  drain() {
    const socket = open((kind, a) => {
      if (kind === kinds.connected) socket.close(a, 7, 'done');
      if (kind === kinds.closed) clearInterval(alive);
    });
    connect(socket, port);
  },

  /** A whole round through the module; prints what arrived. */
  smoke() {
    const socket = open((kind, a, b, text) => {
      if (kind === kinds.connected) socket.write(socket.open(a, false, 0), Buffer.from('over QUIC'));
      if (kind === kinds.uni) socket.giveCredit(b, 1000);
      if (kind === kinds.failed) throw new Error(text);
      if (kind !== kinds.data) return;
      process.stdout.write(text);
      process.exit(0);
    });
    connect(socket, listen(socket).port);
  },
};

modes[mode]();

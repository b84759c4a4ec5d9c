import { fromHex } from '../../../src/core/bytes.ts';

export const data = [
  {
    name: 'a whole message in the clear',
    bytes: '00000005 e0000001 000003e8 0000002a 4711',
    value: {
      sequence: 5,
      whole: true,
      // The order flag, which live mode sets, stands at bit 29.
      key: 'none',
      retransmitted: false,
      messageNumber: 0x2000_0001,
      timestamp: 1000,
      destination: 42,
      payload: fromHex('4711'),
    },
  },
  {
    name: 'a packet sent again, with the odd key, the last number there is',
    bytes: '7fffffff d7ffffff ffffffff 00000001',
    value: {
      sequence: 0x7fff_ffff,
      whole: true,
      key: 'odd',
      retransmitted: true,
      messageNumber: 0x3ff_ffff,
      timestamp: 0xffff_ffff,
      destination: 1,
      payload: new Uint8Array(0),
    },
  },
  {
    name: 'a part of a message, with the even key',
    bytes: '00000000 08000000 00000000 00000001 ff',
    value: {
      sequence: 0,
      whole: false,
      key: 'even',
      retransmitted: false,
      messageNumber: 0,
      timestamp: 0,
      destination: 1,
      payload: fromHex('ff'),
    },
  },
] as const;

export const control = [
  {
    name: 'ACKACK of ACK 7',
    bytes: '80060000 00000007 00000010 0000002a',
    value: { type: 6, subtype: 0, info: 7, timestamp: 16, destination: 42, body: new Uint8Array(0) },
  },
  {
    name: 'SHUTDOWN with its padding',
    bytes: '80050000 00000000 00000000 00000001 00000000',
    value: { type: 5, subtype: 0, info: 0, timestamp: 0, destination: 1, body: new Uint8Array(4) },
  },
  {
    name: 'KMREQ in the stream: user-defined, subtype 3',
    bytes: 'ffff0003 00000000 fffffffe 00000001 1220',
    value: {
      type: 0x7fff,
      subtype: 3,
      info: 0,
      timestamp: 0xffff_fffe,
      destination: 1,
      body: fromHex('1220'),
    },
  },
];

const address = fromHex('0100007f 00000000 00000000 00000000');

export const handshakes = [
  {
    name: "a caller's induction, version 4",
    bytes: '00000004 0000 0002 00000123 000005dc 00002000 00000001 0000002a 00000000 0100007f000000000000000000000000',
    value: {
      version: 4,
      encryption: 0,
      extension: 2,
      initialSequence: 0x123,
      mtu: 1500,
      flowWindow: 8192,
      type: 1,
      socketId: 42,
      cookie: 0,
      peerAddress: address,
      extensions: [],
    },
  },
  {
    name: 'a conclusion with HSREQ and a stream id',
    bytes:
      '00000005 0002 0005 7fffffff 000005dc 00002000 ffffffff 0000002a cafebabe 0100007f000000000000000000000000' +
      '0001 0003 00010501 000000bf 00c80078' + // HSREQ
      '0005 0001 00615f76', // "v_a"
    value: {
      version: 5,
      encryption: 2,
      extension: 5,
      initialSequence: 0x7fff_ffff,
      mtu: 1500,
      flowWindow: 8192,
      type: 0xffff_ffff,
      socketId: 42,
      cookie: 0xcafe_babe,
      peerAddress: address,
      extensions: [
        { type: 1, content: fromHex('00010501 000000bf 00c80078') },
        { type: 5, content: fromHex('00615f76') },
      ],
    },
  },
  {
    name: 'a refusal: 1000 and the reason',
    bytes: '00000005 0000 0000 00000123 000005dc 00002000 00000961 0000002a cafebabe 0100007f000000000000000000000000',
    value: {
      version: 5,
      encryption: 0,
      extension: 0,
      initialSequence: 0x123,
      mtu: 1500,
      flowWindow: 8192,
      type: 2401,
      socketId: 42,
      cookie: 0xcafe_babe,
      peerAddress: address,
      extensions: [],
    },
  },
];

export const capabilities = [
  {
    name: 'libsrt 1.5.1 with 200 ms to receive and 120 ms to send',
    bytes: '00010501 000000bf 00c8 0078',
    value: { version: 0x10501, flags: 0xbf, receiverDelay: 200, senderDelay: 120 },
  },
];

export const texts = [
  { value: '', bytes: '' },
  { value: 'live', bytes: '6576696c' },
  { value: '#!::r=a', bytes: '3a3a2123 00613d72' },
];

const salt = '000102030405060708090a0b0c0d0e0f';

export const keyMaterials = [
  {
    name: 'one even key of 16 bytes',
    bytes: `12 2029 01 00000000 02 00 02 00 0000 04 04 ${salt} ${'ab'.repeat(24)}`,
    value: { even: true, odd: false, salt: fromHex(salt), keyBytes: 16, wrapped: fromHex('ab'.repeat(24)) },
  },
  {
    name: 'two keys of 32 bytes',
    bytes: `12 2029 03 00000000 02 00 02 00 0000 04 08 ${salt} ${'cd'.repeat(72)}`,
    value: { even: true, odd: true, salt: fromHex(salt), keyBytes: 32, wrapped: fromHex('cd'.repeat(72)) },
  },
];

export const acks = [
  { name: 'a light ACK', bytes: '00000064', value: { next: 100 } },
  {
    name: 'a full ACK',
    bytes: '7fffffff 000003e8 000001f4 00001fff 000000c8 00000000 000403e8',
    value: {
      next: 0x7fff_ffff,
      details: {
        rtt: 1000,
        rttVariance: 500,
        availableBuffer: 8191,
        packetRate: 200,
        linkCapacity: 0,
        byteRate: 0x403e8,
      },
    },
  },
];

export const lossLists = [
  { name: 'one packet', bytes: '00000003', value: [{ first: 3, last: 3 }] },
  {
    name: 'a range over the wrap, and one packet',
    bytes: 'fffffffe 00000001 00000009',
    value: [
      { first: 0x7fff_fffe, last: 1 },
      { first: 9, last: 9 },
    ],
  },
];

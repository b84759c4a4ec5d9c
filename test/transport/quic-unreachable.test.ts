import { expect, it } from 'vitest';
import { connectQuic } from '../../src/transport/quic/connect.ts';

it('an address to which no way leads is a refusal in words, not the end of the process', async () => {
  // The kernel refuses it at once, as it does any address while a cable is cut.
  const host = '255.255.255.255';
  const options = { host, port: 9, alpn: ['moqt-18'], trust: { insecure: true } as const, timeoutMs: 300 };
  await expect(connectQuic(options)).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' });
});

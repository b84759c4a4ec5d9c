import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type SeenRequest = { method: string; path: string; authorization: string | undefined; body: unknown };

/** An HTTP server on loopback that answers what the test says and remembers what it was asked. */
export async function apiServer(answer: (request: SeenRequest) => { status: number; body: unknown }) {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const asked: SeenRequest = {
      method: request.method!,
      path: request.url!,
      authorization: request.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
    };
    seen.push(asked);
    const { status, body } = answer(asked);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

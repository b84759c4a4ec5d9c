import { expect, it } from 'vitest';
import { plainWebWarning } from '../../commands/serve/plain-web.ts';

it('says what does not work from other machines, and the command that mends it, only where others can come without TLS', () => {
  const plain = plainWebWarning({ host: '0.0.0.0', urls: { http: 'http://10.0.0.5:8080' } });
  expect(plain?.message).toMatch(/WebTransport.*LL-HLS.*camera/);
  expect(plain?.hint).toMatch(/^streams serve --host 0\.0\.0\.0 --tls-cert \S+ --tls-key \S+ --public-url https:/);
  expect(plainWebWarning({ host: '10.0.0.5', urls: { http: 'http://10.0.0.5:8080' } })).toBeDefined();
  expect(plainWebWarning({ host: '127.0.0.1', urls: { http: 'http://127.0.0.1:8080' } })).toBeUndefined();
  expect(plainWebWarning({ host: '0.0.0.0', urls: { http: 'http://127.0.0.1:8080' } })).toBeUndefined();
  const tls = { http: 'http://10.0.0.5:8080', https: 'https://video.example.com:8443' };
  expect(plainWebWarning({ host: '0.0.0.0', urls: tls })).toBeUndefined();
  expect(plainWebWarning({ host: '0.0.0.0', urls: {} })).toBeUndefined();
});

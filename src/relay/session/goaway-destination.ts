/** Where a session of that path is sent: a bare `uri` gets its path and query. */
export function destination(uri: string, path: string): string {
  const { protocol, host, pathname, search } = new URL(uri);
  return (pathname === '' || pathname === '/') && search === '' ? `${protocol}//${host}${path}` : uri;
}

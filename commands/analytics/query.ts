type Asked = { last?: number | undefined; input?: string | undefined };

/** `?…` of what the options narrow the question to. */
export function queryOf({ last, input }: Asked, more: Record<string, string> = {}): string {
  const query = new URLSearchParams(more);
  if (last !== undefined) query.set('from', new Date(Date.now() - last).toISOString());
  if (input !== undefined) query.set('inputId', input);
  return query.size === 0 ? '' : `?${query}`;
}

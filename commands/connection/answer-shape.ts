type Kind = 'string' | 'array';
type Shape = Readonly<Record<string, Kind>>;

const list: Shape = { items: 'array' };
const input: Shape = { id: 'string', name: 'string', status: 'string' };
const asset: Shape = { id: 'string', name: 'string', status: 'string' };
const key: Shape = { id: 'string' };

/** What a command relies on in an answer, by method and path below `/v1`; the first that fits counts. */
const shapes: readonly (readonly [RegExp, Shape])[] = [
  [/^POST \/live-inputs(\/[^/]+\/rotate-stream-key)?$/, { ...input, stream_key_cleartext: 'string' }],
  [
    /^POST \/(live-inputs|assets)\/[^/]+\/playback-tokens$/,
    { token: 'string', watchUrl: 'string', expires_at: 'string' },
  ],
  [/^GET \/live-inputs\/[^/]+\/status$/, { status: 'string' }],
  [/^(GET|PATCH|POST) \/live-inputs\/[^/]+(\/(disable|enable))?$/, input],
  [/^POST \/assets$|^(GET|PATCH) \/assets\/[^/]+$/, asset],
  [/^POST \/signing-keys(\/.+)?$/, key],
  [/^POST \/api-keys$/, { id: 'string', api_key_cleartext: 'string' }],
  [/^POST \/api-keys\/[^/]+\/revoke$/, { id: 'string' }],
  [/^POST \/webhooks$/, { id: 'string', secret_cleartext: 'string' }],
  [/^POST \/webhook-deliveries\/.+$/, { id: 'string' }],
  [/^POST \/playback\/revocations$/, { id: 'string' }],
  [/^GET \/whoami$/, { orgId: 'string', apiKeyId: 'string', name: 'string', scopes: 'array' }],
  [/^GET \/(analytics\/.+|[a-z-]+|playback\/revocations|webhooks\/[^/]+\/deliveries)$/, list],
];

/** What is wrong with a successful answer; undefined where nothing is. A portal that answers everything with 200 is no API. */
export function wrongShape(method: string, path: string, value: unknown): string | undefined {
  const asked = `${method} ${path.replace(/^\/v1/, '').split('?')[0]}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return method === 'DELETE' && value === undefined ? undefined : 'no JSON object';
  const shape = shapes.find(([pattern]) => pattern.test(asked))?.[1] ?? {};
  const wrong = Object.entries(shape).find(([name, kind]) => !is(kind, (value as Record<string, unknown>)[name]));
  return wrong === undefined ? undefined : `no ${wrong[0]} in it`;
}

function is(kind: Kind, value: unknown): boolean {
  return kind === 'array' ? Array.isArray(value) : typeof value === 'string';
}

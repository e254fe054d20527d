/** The example at the top of docs/reference/route.md. A test decodes it and checks it against the schema. */
export const routeExample = {
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: 'shop', namespace: 'team-a' },
  spec: {
    hosts: ['shop.example.com'],
    tls: { secretName: 'shop-tls' },
    rules: [
      {
        name: 'api',
        matches: [
          { path: { type: 'Prefix', value: '/api' }, headers: [{ name: 'X-Api-Version', value: '2' }] },
          { path: { type: 'Regex', value: '/v2/[a-z]+' }, methods: ['GET', 'HEAD'] },
        ],
        filters: [
          { requestHeaders: { set: [{ name: 'X-Tenant', value: 'shop' }] } },
          { rewriteHost: { host: 'api.internal' } },
        ],
        backends: [
          { service: 'api', port: 80, weight: 90 },
          { service: 'api-next', port: 'http', weight: 10 },
        ],
        split: { by: 'cookie', name: 'session' },
        timeouts: { connect: '2s', read: '30s', request: '1m' },
        retries: { tries: 2, retryOn: ['error', 'timeout'], timeout: '10s' },
      },
      {
        matches: [{ path: { type: 'Exact', value: '/old' } }],
        filters: [{ redirect: { path: '/new', statusCode: 301 } }],
      },
      { backends: [{ service: 'web', port: 80 }] },
    ],
  },
} as const;

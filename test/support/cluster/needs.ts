/** What a test may need that not every machine has. */
export interface Need {
  /** Ends the names of tests that did not run for want of it; tools/test-all.ts counts them by it. */
  readonly mark: string;
  /** What did not run. */
  readonly tests: string;
  /** How to make them run. */
  readonly remedy: string;
  /** `SALLYPORT_REQUIRE_CLUSTER` makes a failure of what would be skipped. */
  readonly canBeRequired: boolean;
}

export const needs = {
  cluster: {
    mark: '(needs a cluster)',
    tests: 'cluster tests',
    remedy:
      'install Go and run `make envtest`, or start Docker, or set SALLYPORT_TEST_KUBECONFIG to a cluster that may be thrown away',
    canBeRequired: true,
  },
  ownApiServer: {
    mark: '(needs an API server of its own)',
    tests: 'tests of the audit log and of outages',
    remedy: 'install Go and run `make envtest`, and leave SALLYPORT_TEST_KUBECONFIG unset',
    canBeRequired: true,
  },
  helm: {
    mark: '(needs helm)',
    tests: 'Helm tests',
    remedy: 'install Go and run `make envtest`',
    canBeRequired: true,
  },
  h2spec: {
    mark: '(needs h2spec)',
    tests: 'HTTP/2 conformance',
    remedy: 'install Go and run `make envtest`',
    canBeRequired: true,
  },
  docker: {
    mark: '(needs docker)',
    tests: 'container tests',
    remedy: 'start Docker, or set DOCKER_HOST',
    canBeRequired: false,
  },
  curl: {
    mark: '(needs curl)',
    tests: 'HTTP/2 with curl',
    remedy: 'install curl with HTTP/2',
    canBeRequired: false,
  },
  h2load: {
    mark: '(needs h2load)',
    tests: 'HTTP/2 with h2load',
    remedy: 'install h2load (nghttp2-client)',
    canBeRequired: false,
  },
  go: {
    mark: '(needs go)',
    tests: 'HTTP/2 with net/http',
    remedy: 'install Go 1.24 or later',
    canBeRequired: false,
  },
  wstest: {
    mark: '(needs wstest)',
    tests: 'the Autobahn suite',
    remedy: 'install autobahntestsuite with Python 2.7, and put `wstest` on the PATH or name it in WSTEST',
    canBeRequired: false,
  },
} as const satisfies Readonly<Record<string, Need>>;

export type NeedName = keyof typeof needs;

/** Whether a test that did not run is a failure. */
export function isRequired(
  { canBeRequired }: Need,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return canBeRequired && !['', '0', 'false', undefined].includes(environment['SALLYPORT_REQUIRE_CLUSTER']);
}

import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compiledAnnotations } from '../../src/compile/annotation-docs.ts';
import { annotationFault, patternOf } from '../../src/filters/annotation-grammar.ts';
import type { AnnotationGrammar } from '../../src/filters/annotation-grammar.ts';
import { filterRegistry } from '../../src/filters/registry.ts';
import { compileAnnotations } from '../support/compile-annotations.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { TestCluster } from '../support/cluster/start-cluster.ts';

const manifest = join(import.meta.dirname, '../../manifests/admission-policy.yaml');
const specs = [...filterRegistry.annotations, ...compiledAnnotations];
const nginx = (name: string): string => `nginx.ingress.kubernetes.io/${name}`;
const own = (name: string): string => `sallyport.dev/${name}`;

type Annotations = Readonly<Record<string, string>>;

interface IngressOptions {
  readonly ingressClassName?: string | undefined;
}

function ingress(
  annotations: Annotations,
  { ingressClassName = 'sallyport' }: IngressOptions = {},
  name = 'site',
) {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default', annotations },
    spec: {
      ...(ingressClassName !== '' && { ingressClassName }),
      defaultBackend: { service: { name: 'web', port: { number: 80 } } },
    },
  };
}

interface Verdict {
  readonly admitted: boolean;
  /** Why not, without the names of policy and binding. */
  readonly message: string;
  readonly warnings: readonly string[];
}

const path = '/apis/networking.k8s.io/v1/namespaces/default/ingresses';
const prelude = /^.*?ValidatingAdmissionPolicy '[^']+' with binding '[^']+'(?: denied request)?: /s;

async function create(cluster: TestCluster, body: unknown, query = { dryRun: 'All' }): Promise<Verdict> {
  const answer = await cluster.admin.call('POST', path, { body, query });
  const { message = '' } = answer.body as { readonly message?: string };
  return {
    admitted: answer.status === 201,
    message: message.replace(prelude, ''),
    warnings: answer.warnings.map((text) => text.replace(prelude, '')),
  };
}

/** A policy takes effect a moment after it was stored: the first refusal and the first warning show it. */
async function inForce(cluster: TestCluster): Promise<void> {
  const probe = ingress({ [nginx('canary')]: 'perhaps' });
  for (;;) {
    const { admitted, warnings } = await create(cluster, probe);
    const hint = await create(cluster, ingress({ [own('nothing')]: '' }));
    if (!admitted && [...warnings, ...hint.warnings].length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const url = 'an absolute http or https URL of visible ASCII; variables are not expanded';
const retryWords =
  'any of error, timeout, http_403, http_404, http_429, http_500, http_502, http_503, http_504, non_idempotent, off';
const host = 'a host name or address, with a port if need be; variables are not expanded';
const rootPath = "a path that starts with one '/'; variables are not expanded";
const name = 'the name of a header or cookie';

describeWithCluster('the admission policies', (cluster) => {
  beforeAll(async () => {
    await cluster().applyFile(manifest);
    await inForce(cluster());
  }, 30_000);

  describe('values', () => {
    test.each<[string, string]>([
      ['app-root', '/shop/index?from=root#top'],
      ['app-root', ' /\n'],
      ['temporal-redirect', 'https://[2001:db8::1]:8443/x?y=1'],
      ['temporal-redirect', 'HTTP://b.example'],
      ['temporal-redirect-code', '307'],
      ['permanent-redirect', 'https://shop.example/%7Ea'],
      ['permanent-redirect-code', ' 308 '],
      ['upstream-vhost', 'shop.internal:8080'],
      ['upstream-vhost', '192.0.2.1'],
      ['canary', 'True'],
      ['canary', ''],
      ['canary', '   '],
      ['canary-by-header', 'X-Canary'],
      ['canary-by-header-value', 'any "text"\nat all \u00e9'],
      ['canary-by-header-pattern', '^(blue|green)$'],
      ['canary-by-cookie', 'canary'],
      ['canary-weight', '0'],
      ['canary-weight', '+50'],
      ['canary-weight-total', '1000000000'],
      ['proxy-connect-timeout', '1'],
      ['proxy-send-timeout', '2147483'],
      ['proxy-read-timeout', '0060'],
      ['proxy-next-upstream', ' error  http_502\nnon_idempotent '],
      ['proxy-next-upstream-tries', '0'],
      ['proxy-next-upstream-timeout', '0'],
    ])('%s takes %j', async (annotation, value) => {
      for (const key of [nginx(annotation), own(annotation)]) {
        expect(await create(cluster(), ingress({ [key]: value }))).toEqual({
          admitted: true,
          message: '',
          warnings: [],
        });
      }
    });

    test.each<[string, string, string]>([
      ['app-root', 'shop', `got "shop", want ${rootPath}`],
      ['app-root', '//evil.example', `got "//evil.example", want ${rootPath}`],
      ['app-root', '/\\evil', `got "/\\\\evil", want ${rootPath}`],
      ['app-root', '/$uri', `got "/$uri", want ${rootPath}`],
      [
        'app-root',
        `/${'a'.repeat(1024)}`,
        `got "/${'a'.repeat(79)}…", want ${rootPath}, in at most 1024 characters`,
      ],
      ['temporal-redirect', '/path', `got "/path", want ${url}`],
      ['temporal-redirect', 'ftp://b.example', `got "ftp://b.example", want ${url}`],
      ['temporal-redirect-code', '304', 'got "304", want one of 300, 301, 302, 303, 305, 306, 307'],
      ['temporal-redirect-code', '308', 'got "308", want one of 300, 301, 302, 303, 305, 306, 307'],
      ['permanent-redirect', 'https://', `got "https://", want ${url}`],
      ['permanent-redirect', 'https://u@b.example/', `got "https://u@b.example/", want ${url}`],
      ['permanent-redirect', 'https://b.example:70000/', `got "https://b.example:70000/", want ${url}`],
      ['permanent-redirect-code', '200', 'got "200", want one of 300, 301, 302, 303, 305, 306, 307, 308'],
      ['upstream-vhost', '$host', `got "$host", want ${host}`],
      ['upstream-vhost', 'a:0', `got "a:0", want ${host}`],
      ['upstream-vhost', '[1::2::3]', `got "[1::2::3]", want ${host}`],
      ['canary', 'yes', 'got "yes", want true or false'],
      ['canary', 'a\nb', 'got "a\\nb", want true or false'],
      ['canary-by-header', 'x canary', `got "x canary", want ${name}`],
      ['canary-by-header', 'x:y', `got "x:y", want ${name}`],
      ['canary-by-cookie', 'a;b', `got "a;b", want ${name}`],
      ['canary-weight', 'a lot', 'got "a lot", want an integer from 0 to 1000000000'],
      ['canary-weight', '-1', 'got "-1", want an integer from 0 to 1000000000'],
      ['canary-weight', '5%', 'got "5%", want an integer from 0 to 1000000000'],
      ['canary-weight-total', '1e3', 'got "1e3", want an integer from 0 to 1000000000'],
      ['proxy-connect-timeout', '5s', 'got "5s", want an integer from 1 to 2147483'],
      ['proxy-connect-timeout', '0', 'got "0", want an integer from 1 to 2147483'],
      ['proxy-send-timeout', '2147484', 'got "2147484", want an integer from 1 to 2147483'],
      ['proxy-read-timeout', '99999999999', 'got "99999999999", want an integer from 1 to 2147483'],
      ['proxy-next-upstream', 'error http_418', `got "error http_418", want ${retryWords}`],
      ['proxy-next-upstream', 'error,timeout', `got "error,timeout", want ${retryWords}`],
      ['proxy-next-upstream-tries', '33', 'got "33", want an integer from 0 to 32'],
      ['proxy-next-upstream-timeout', '-5', 'got "-5", want an integer from 0 to 2147483'],
    ])('%s does not take %j', async (annotation, value, message) => {
      for (const key of [nginx(annotation), own(annotation)]) {
        expect(await create(cluster(), ingress({ [key]: value }))).toMatchObject({
          admitted: false,
          message: `annotation ${key}: ${message}`,
        });
      }
    });

    test.each([
      ['(a', 'missing closing ): `(a`'],
      ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
      ['a{1001}', 'invalid repeat count: `{1001}`'],
    ])('a pattern %j is refused with what is wrong with it', async (pattern, reason) => {
      const verdict = await create(cluster(), ingress({ [own('canary-by-header-pattern')]: pattern }));
      expect(verdict.admitted).toBe(false);
      expect(verdict.message).toContain(`error parsing regexp: ${reason}`);
      expect(annotationFault({ kind: 'regex' }, pattern)).toBe(reason);
    });

    test('a value as long as values can be is refused for its length, not for what it costs to look at', async () => {
      const most = 200_000;
      for (const { name: annotation, grammar } of specs) {
        if (grammar.kind === 'any') continue;
        const verdict = await create(cluster(), ingress({ [own(annotation)]: '1'.repeat(most) }));
        expect(verdict.admitted).toBe(false);
        expect(verdict.message).toMatch(/^annotation .*: got "1{80}…", want /);
      }
    });

    test('the own prefix hides the other one', async () => {
      const bad = { [nginx('canary-weight')]: 'much' };
      expect(await create(cluster(), ingress({ ...bad, [own('canary-weight')]: '5' }))).toMatchObject({
        admitted: true,
      });
      expect(await create(cluster(), ingress({ ...bad, [own('canary')]: 'true' }))).toMatchObject({
        admitted: false,
      });
    });
  });

  describe('Ingresses', () => {
    const bad = { [nginx('canary')]: 'perhaps', [own('unheard-of')]: '1' };

    test.each<[string, Annotations, IngressOptions]>([
      ['of another class', bad, { ingressClassName: 'nginx' }],
      [
        'of another class by the old annotation',
        { ...bad, 'kubernetes.io/ingress.class': 'nginx' },
        { ingressClassName: '' },
      ],
      [
        'whose class field speaks against the old annotation',
        { ...bad, 'kubernetes.io/ingress.class': 'sallyport' },
        { ingressClassName: 'nginx' },
      ],
      ['without a class', bad, { ingressClassName: '' }],
    ])('%s are left alone', async (_, annotations, options) => {
      // Both field and annotation are refused at creation, by the API server itself and after admission.
      const verdict = await create(cluster(), ingress(annotations, options));
      expect(verdict.message).not.toContain('annotation nginx.ingress.kubernetes.io/canary');
      expect(verdict.warnings.filter((text) => text.startsWith('Sallyport'))).toEqual([]);
    });

    test('of our class by the old annotation are checked', async () => {
      const annotations = { ...bad, 'kubernetes.io/ingress.class': 'sallyport' };
      expect(await create(cluster(), ingress(annotations, { ingressClassName: '' }))).toMatchObject({
        admitted: false,
        message: 'annotation nginx.ingress.kubernetes.io/canary: got "perhaps", want true or false',
      });
    });

    test('of our class as the default one are checked', async () => {
      const { admin } = cluster();
      const defaultClass = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: {
          name: 'sallyport',
          annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' },
        },
        spec: { controller: 'sallyport.dev/ingress-controller' },
      };
      await admin.create(defaultClass);
      // The API server fills the class in, as soon as it has taken notice of it.
      const good = ingress({}, { ingressClassName: '' });
      for (;;) {
        const { body } = await admin.call('POST', path, { body: good, query: { dryRun: 'All' } });
        if ((body as { spec?: { ingressClassName?: string } }).spec?.ingressClassName === 'sallyport') break;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      const verdict = await create(cluster(), ingress(bad, { ingressClassName: '' }));
      await admin.delete({ ...defaultClass, name: 'sallyport' });
      expect(verdict.message).toBe(
        'annotation nginx.ingress.kubernetes.io/canary: got "perhaps", want true or false',
      );
    });

    test('that were there before stay editable until their annotations change', async () => {
      const { admin } = cluster();
      const stored = ingress(bad, { ingressClassName: 'nginx' }, 'older');
      await admin.create(stored);
      const reference = {
        apiVersion: stored.apiVersion,
        kind: stored.kind,
        name: 'older',
        namespace: 'default',
      };
      await expect(admin.patch(reference, { spec: { ingressClassName: 'sallyport' } })).rejects.toMatchObject(
        {
          status: 422,
        },
      );
      await admin.patch(reference, { metadata: { labels: { team: 'a' }, finalizers: ['example.com/hold'] } });
      await expect(
        admin.patch(reference, {
          spec: { ingressClassName: 'sallyport' },
          metadata: { annotations: { [own('canary')]: 'x' } },
        }),
      ).rejects.toMatchObject({ status: 422 });
      await admin.delete(reference);
      await admin.patch(reference, { metadata: { finalizers: null } });
      expect(await admin.get(reference)).toBeUndefined();
    });
  });

  describe('annotations that do nothing', () => {
    test.each<[string, Annotations, readonly string[]]>([
      [
        'unknown',
        { [own('no-such')]: '1' },
        ['Sallyport ignores what it does not know: sallyport.dev/no-such'],
      ],
      [
        'not supported yet',
        { [nginx('use-regex')]: 'true', [nginx('ssl-redirect')]: 'true' },
        ['Sallyport ignores what it does not support yet: nginx.ingress.kubernetes.io/use-regex'],
      ],
      [
        'maybe protective',
        { [nginx('auth-url')]: 'https://auth.example' },
        [
          'routes of this Ingress will answer 503, because Sallyport does not support what may protect them: nginx.ingress.kubernetes.io/auth-url',
        ],
      ],
      [
        'inert',
        { [nginx('proxy-buffers-number')]: '4' },
        [
          'Sallyport ignores what has nothing to switch there: nginx.ingress.kubernetes.io/proxy-buffers-number',
        ],
      ],
      ['at rest', { [nginx('use-regex')]: ' F ', [nginx('satisfy')]: 'all', 'example.com/other': 'x' }, []],
    ])('are admitted with a warning: %s', async (_, annotations, warnings) => {
      expect(await create(cluster(), ingress(annotations))).toEqual({
        admitted: true,
        message: '',
        warnings,
      });
    });
  });

  describe('agree with the controller', () => {
    test('on every value that a grammar can tell', async () => {
      await fc.assert(
        fc.asyncProperty(someAnnotations, async (annotations) => {
          const { faulty } = compileAnnotations(annotations);
          const { admitted, message } = await create(cluster(), ingress(annotations));
          expect([annotations, admitted]).toEqual([annotations, faulty.length === 0]);
          if (!admitted) expect(faulty).toContain(/^annotation (\S+): got /.exec(message)?.[1]);
        }),
        { numRuns: 500 },
      );
    });

    test('on every annotation that does nothing', async () => {
      await fc.assert(
        fc.asyncProperty(idleAnnotations, async (annotations) => {
          const { idle } = compileAnnotations(annotations);
          const { warnings } = await create(cluster(), ingress(annotations));
          const named = warnings.flatMap((text) => text.slice(text.lastIndexOf(': ') + 2).split(', '));
          expect(named.toSorted()).toEqual(idle.toSorted());
        }),
        { numRuns: 150 },
      );
    });
  });
});

/** Values near and far from what a grammar takes. Without NUL: the API server's storage takes it, YAML does not. */
function valueFor(grammar: AnnotationGrammar): fc.Arbitrary<string> {
  const pattern = patternOf(grammar);
  const noise = fc.string({
    unit: fc.constantFrom(...' \t\n\r\v\f019+-.:/[]?#@%$_truefalsERTF\u00a0\ufeff\u0085é"\\\'`{}'.split('')),
    maxLength: 12,
  });
  if (pattern === undefined) return noise;
  const good = fc.stringMatching(new RegExp(`^(?:${pattern})$`), { maxLength: 80 });
  const around = fc
    .tuple(fc.constantFrom('', ' ', '\n', '\t\v\f\r', '\u00a0'), good)
    .map(([space, text]) => space + text + space);
  const mixed = fc
    .tuple(good, noise, fc.nat(40))
    .map(([text, other, at]) => text.slice(0, at) + other.slice(0, 2) + text.slice(at));
  return fc.oneof(good, around, mixed, noise, fc.integer().map(String), fc.constant('x'.repeat(300)));
}

const checked = specs.filter(({ grammar }) => patternOf(grammar) !== undefined);

const someAnnotations: fc.Arbitrary<Annotations> = fc
  .array(
    fc.oneof(
      ...checked.map(({ name: annotation, grammar }) =>
        fc.tuple(fc.constantFrom(nginx(annotation), own(annotation)), valueFor(grammar)),
      ),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((entries) => {
    const found = Object.fromEntries(entries);
    const isCanary = Object.keys(found).some((key) => key.includes('/canary-'));
    // The controller looks at the rest of the family only when it is switched on.
    return isCanary ? { ...found, [own('canary')]: 'true' } : found;
  });

const idleAnnotations: fc.Arbitrary<Annotations> = fc
  .array(
    fc.tuple(
      fc.constantFrom(nginx, own),
      fc.constantFrom(
        'no-such',
        'service-upstream',
        'ssl-redirect',
        'auth-url',
        'limit-rps',
        'satisfy',
        'use-regex',
        'canary',
        'http2-push-preload',
        'load-balance',
      ),
      fc.constantFrom('true', 'false', 'F', '0', ' all ', '1', 'round_robin', ''),
    ),
    { maxLength: 5 },
  )
  .map((entries) =>
    Object.fromEntries(entries.map(([prefixed, annotation, value]) => [prefixed(annotation), value])),
  );

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { dump, load } from 'js-yaml';

import { settingList } from '../../src/app/setting-list.ts';
import type { Setting } from '../../src/app/setting.ts';
import { resolveSettings } from '../../src/app/settings.ts';
import type { Settings } from '../../src/app/settings.ts';
import { manifests } from '../../tools/manifests/manifest-list.ts';
import { renderManifest } from '../../tools/manifests/render.ts';
import { caseFile, cases, helmTemplate, only, podTemplate, render } from '../support/chart.ts';
import { describeWithHelm } from '../support/cluster/describe-with-cluster.ts';
import type { Manifest } from '../support/cluster/manifest.ts';

const root = join(import.meta.dirname, '../..');

/** What the process would make of the arguments and the config file that the chart gives it. */
function settingsOf(objects: readonly Manifest[]): Settings {
  const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet');
  const args = workload === undefined ? [] : (podTemplate(workload).spec.containers[0]?.args ?? []);
  const flags = new Map(
    args.slice(1).map((arg): [string, string] => {
      const [name = '', ...value] = arg.replace(/^--/, '').split('=');
      return [name, value.join('=')];
    }),
  );
  const config = objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'edge');
  const text = (config?.['data'] as { readonly 'config.yaml'?: string } | undefined)?.['config.yaml'] ?? '{}';
  const file = new Map(Object.entries(load(text) as object).map(([key, value]) => [key, String(value)]));
  const resolved = resolveSettings({ flags, environment: {}, file });
  if (resolved.kind === 'problems') throw new Error(resolved.problems.join('; '));
  return resolved.settings;
}

/** A text that the setting takes, another one than its default where one can be told from that. */
function otherThanDefault({ flag, type, default: text }: Setting<unknown>): string {
  if (flag === 'trusted-proxies') return '10.0.0.0/8,fd00::/8';
  const other =
    text === 'true'
      ? 'false'
      : text === 'false'
        ? 'true'
        : text.replace(/^\d+/, (digits) => String(Number(digits) + 1));
  return type.parse(other) === undefined ? text : other;
}

function asInYaml(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}

function flagsOf(objects: readonly Manifest[], kind = 'Deployment'): readonly string[] {
  return podTemplate(only(objects, kind)).spec.containers[0]?.args ?? [];
}

/** `kind namespace/name: verb resource[name] …`, a line a rule, of everything that grants rights. */
function rights(objects: readonly Manifest[]): readonly string[] {
  interface Rule {
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }
  return objects
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    .flatMap(({ kind, metadata, ...rest }) =>
      (rest['rules'] as readonly Rule[]).map(({ resources, verbs, resourceNames }) => {
        const where = metadata.namespace === undefined ? kind : `${kind} in ${metadata.namespace}`;
        const names = resourceNames === undefined ? '' : ` named ${resourceNames.join(', ')}`;
        return `${where}: ${verbs.join(', ')} ${resources.join(', ')}${names}`;
      }),
    );
}

describeWithHelm('the chart', (helm) => {
  describe('renders', () => {
    test.each(cases)('%s as golden/ has it', (name) => {
      const text = render(helm, caseFile(name))
        .filter(({ kind }) => kind !== 'CustomResourceDefinition')
        .map((object) => dump(object, { noRefs: true, lineWidth: -1 }))
        .join('---\n');
      const file = join(import.meta.dirname, 'golden', `${name}.yaml`);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
      expect(text).toBe(readFileSync(file, 'utf8'));
    });

    test.each(manifests.map(({ path }) => path))('%s as it is committed', async (path) => {
      const manifest = manifests.find((candidate) => candidate.path === path);
      const text = manifest === undefined ? '' : await renderManifest(manifest, helm);
      expect(text).toBe(readFileSync(join(root, path), 'utf8'));
    });

    test('the CRDs of the repository, kept at an uninstall', () => {
      const crds = render(helm).filter(({ kind }) => kind === 'CustomResourceDefinition');
      expect(crds.map(({ metadata }) => metadata.name).sort()).toEqual([
        'backendpolicies.sallyport.dev',
        'routes.sallyport.dev',
      ]);
      for (const { metadata, ...crd } of crds) {
        const committed = load(readFileSync(join(root, `crds/${metadata.name}.yaml`), 'utf8')) as Manifest;
        expect({ ...crd, metadata: { name: metadata.name } }).toEqual(committed);
        expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
      }
    });

    test('no two objects of one kind and name', () => {
      for (const name of cases) {
        const ids = render(helm, caseFile(name)).map(
          ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
        );
        expect(ids).toEqual([...new Set(ids)]);
      }
    });
  });

  describe('flags', () => {
    test.each(cases)('of %s are settings of the process', (name) => {
      const objects = render(helm, caseFile(name));
      const settings = settingsOf(objects);
      const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet');
      const { spec } = podTemplate(workload as Manifest);
      expect(settings.gracePeriod).toBeLessThan(spec.terminationGracePeriodSeconds * 1000);
      expect(settings.drainDelay).toBeLessThan(settings.gracePeriod);
      const ports = new Map(spec.containers[0]?.ports.map((port) => [port.name, port.containerPort]));
      expect(ports).toEqual(
        new Map([
          ['http', settings.httpPort],
          ['https', settings.httpsPort],
          ['metrics', settings.adminPort],
        ]),
      );
    });

    test('a value of config or extraArgs takes the place of the one that the chart would give', () => {
      const set = ['--set', 'controller.config.workers=3,controller.extraArgs.log-level=warn'];
      const flags = flagsOf(render(helm, set));
      expect(flags.filter((flag) => flag.startsWith('--workers'))).toEqual([]);
      expect(flags.filter((flag) => flag.startsWith('--log-level'))).toEqual(['--log-level=warn']);
    });

    test('every setting can be given by config, in the types of YAML', () => {
      const all = Object.entries(settingList).filter(([, { flag }]) => flag !== 'config');
      const wanted = new Map(all.map(([name, setting]) => [name, otherThanDefault(setting)]));
      const config = Object.fromEntries(
        all
          .map(([name, { flag }]) => [flag, asInYaml(wanted.get(name) ?? '')])
          .filter(([, value]) => value !== ''),
      );
      const settings = settingsOf(
        render(helm, [
          '--set',
          'fullnameOverride=edge',
          '--set-json',
          `controller.config=${JSON.stringify(config)}`,
        ]),
      );
      for (const [name, setting] of all)
        if (setting.flag in config)
          expect([name, settings[name as keyof Settings]]).toEqual([
            name,
            (setting as Setting<unknown>).type.parse(wanted.get(name) ?? ''),
          ]);
    });

    test('large numbers keep their digits', () => {
      const set = [
        '--set',
        'controller.config.proxy-body-size=10485760,controller.extraArgs.max-connections=20000000',
      ];
      const objects = render(helm, set);
      expect(only(objects, 'ConfigMap')['data']).toEqual({ 'config.yaml': 'proxy-body-size: 10485760\n' });
      expect(flagsOf(objects)).toContain('--max-connections=20000000');
    });

    test('pods restart when the config changes, and only then', () => {
      const checksum = (set: string): unknown =>
        podTemplate(only(render(helm, ['--set', set]), 'Deployment')).metadata.annotations?.[
          'checksum/config'
        ];
      expect(checksum('controller.config.workers=3')).not.toBe(checksum('controller.config.workers=4'));
      expect(checksum('controller.config.workers=3')).toBe(
        checksum('controller.config.workers=3,controller.replicaCount=5'),
      );
    });
  });

  describe('rights', () => {
    const always = [
      'Role in sallyport: create leases',
      'Role in sallyport: get, update leases named sallyport-leader',
    ];
    const namespaced = (where: string): string[] => [
      `${where}: list, watch configmaps, services`,
      `${where}: list, watch endpointslices`,
      `${where}: list, watch ingresses`,
      `${where}: list, watch routes, backendpolicies`,
      `${where}: list, watch referencegrants`,
      `${where}: patch ingresses/status`,
      `${where}: patch routes/status, backendpolicies/status`,
      `${where}: create, patch events`,
    ];

    test('of the defaults', () => {
      expect(rights(render(helm))).toEqual([
        'ClusterRole: list, watch ingressclasses',
        ...namespaced('ClusterRole'),
        'ClusterRole: list, watch secrets',
        ...always,
      ]);
    });

    test('of Secrets in named namespaces', () => {
      expect(rights(render(helm, caseFile('secrets-namespaces')))).toEqual([
        'ClusterRole: list, watch ingressclasses',
        ...namespaced('ClusterRole'),
        ...always,
        'Role in default: list, watch secrets',
        'Role in kube-public: list, watch secrets',
      ]);
    });

    test('of named Secrets in a watched namespace', () => {
      expect(rights(render(helm, caseFile('secrets-names')))).toEqual([
        'ClusterRole: list, watch ingressclasses',
        ...namespaced('Role in default'),
        ...always,
        'Role in sallyport: list, watch services named sallyport',
        'Role in sallyport: list endpointslices',
        'Role in default: list, watch secrets named blog-tls, shop-tls',
        'Role in kube-public: list, watch secrets named other-tls',
      ]);
    });

    test.each<[values: string, more: readonly string[]]>([
      ['rbac.secrets.scope=cluster', []],
      ['controller.scope.enabled=true', []],
      [
        'controller.scope.enabled=true,controller.scope.namespace=default',
        ['Role in sallyport: list, watch secrets named edge-tls, tickets'],
      ],
      ['rbac.secrets.scope=namespaces,rbac.secrets.namespaces={sallyport}', []],
      [
        'rbac.secrets.scope=namespaces,rbac.secrets.namespaces={default}',
        ['Role in sallyport: list, watch secrets named edge-tls, tickets'],
      ],
      [
        'rbac.secrets.scope=names,rbac.secrets.names={default/shop-tls,sallyport/tickets}',
        [
          'Role in default: list, watch secrets named shop-tls',
          'Role in sallyport: list, watch secrets named edge-tls, tickets',
        ],
      ],
    ])('of Secrets that settings name, with %s', (values, more) => {
      const secrets = [
        'controller.config.ssl-session-ticket-secret=sallyport/tickets',
        'controller.config.default-ssl-certificate=other/none',
        'controller.extraArgs.default-ssl-certificate=sallyport/edge-tls',
      ].join(',');
      const granted = rights(render(helm, ['--set', `${secrets},${values}`]));
      expect(granted.filter((line) => line.includes('secrets named'))).toEqual(more);
    });

    test('of namespaces alone', () => {
      const objects = render(helm, caseFile('namespaced'));
      expect(objects.map(({ kind }) => kind).filter((kind) => kind.startsWith('Cluster'))).toEqual([]);
      expect(rights(objects)).toEqual([
        ...namespaced('Role in default'),
        'Role in default: list, watch secrets',
        ...namespaced('Role in kube-public'),
        'Role in kube-public: list, watch secrets',
        ...always,
        'Role in sallyport: list, watch services named sallyport',
        'Role in sallyport: list endpointslices',
        'Role in kube-system: list, watch services named fallback',
        'Role in kube-system: list, watch endpointslices',
      ]);
      const settings = settingsOf(objects);
      expect(settings.watchNamespaces).toEqual(['default', 'kube-public']);
      expect(settings.ingressClassByName).toBe(true);
    });

    test('every Role is bound to the ServiceAccount of the pods', () => {
      for (const name of cases) {
        const objects = render(helm, caseFile(name));
        const granted = objects.filter(({ kind }) => kind.endsWith('Role'));
        const bound = objects.filter(({ kind }) => kind.endsWith('RoleBinding'));
        const id = (kind: string, role: string, namespace = ''): string => `${kind} ${namespace}/${role}`;
        expect(
          bound.map(({ metadata, ...rest }) => {
            const { kind, name: role } = rest['roleRef'] as { readonly kind: string; readonly name: string };
            return id(kind, role, metadata.namespace);
          }),
        ).toEqual(granted.map(({ kind, metadata }) => id(kind, metadata.name, metadata.namespace)));
        const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet');
        const account = podTemplate(workload as Manifest).spec.serviceAccountName;
        for (const binding of bound)
          expect(binding['subjects']).toEqual([
            { kind: 'ServiceAccount', name: account, namespace: 'sallyport' },
          ]);
      }
    });
  });

  describe('of several replicas', () => {
    const kinds = (set: string): readonly string[] => render(helm, ['--set', set]).map(({ kind }) => kind);

    test('has a PodDisruptionBudget; of one it has none', () => {
      expect(kinds('controller.replicaCount=2')).toContain('PodDisruptionBudget');
      expect(kinds('controller.replicaCount=1')).not.toContain('PodDisruptionBudget');
      expect(kinds('controller.replicaCount=1,controller.autoscaling.enabled=true')).toContain(
        'PodDisruptionBudget',
      );
      expect(kinds('controller.kind=DaemonSet')).not.toContain('PodDisruptionBudget');
    });

    test('leaves their number to the autoscaler', () => {
      const deployment = only(render(helm, caseFile('autoscaling')), 'Deployment');
      expect(deployment['spec']).not.toHaveProperty('replicas');
    });

    test('spreads its own pods', () => {
      const { spec, metadata } = podTemplate(only(render(helm), 'Deployment'));
      expect(spec.topologySpreadConstraints?.map(({ labelSelector }) => labelSelector.matchLabels)).toEqual([
        metadata.labels,
        metadata.labels,
      ]);
    });
  });

  test.each<[values: string, image: string]>([
    ['tag=1.2', 'sallyport:1.2'],
    ['registry=registry.example', 'registry.example/sallyport:0.1.0'],
    ['registry=registry.example,image=team/edge,tag=1.2', 'registry.example/team/edge:1.2'],
    ['registry=registry.example,repository=other.example/edge', 'other.example/edge:0.1.0'],
    [`digest=sha256:${'a'.repeat(64)},tag=1.2`, `sallyport@sha256:${'a'.repeat(64)}`],
  ])('image values %s', (values, image) => {
    const set = values
      .split(',')
      .map((value) => `controller.image.${value}`)
      .join(',');
    const { spec } = podTemplate(only(render(helm, ['--set', set]), 'Deployment'));
    expect(spec.containers[0]?.image).toBe(image);
  });

  test.each<[set: string, message: RegExp]>([
    ['controller.replicas=2', /'\/controller': additional properties 'replicas' not allowed/],
    ['replicaCount=2', /additional properties 'replicaCount' not allowed/],
    ['controller.replicaCount=two', /'\/controller\/replicaCount': got string, want integer/],
    ['controller.kind=StatefulSet', /'\/controller\/kind': value must be one of/],
    ['controller.admissionWebhooks.enabled=true', /additional properties 'admissionWebhooks' not allowed/],
    ['controller.containerPort.http=80', /'\/controller\/containerPort\/http': minimum/],
    ['controller.service.type=ExternalName', /'\/controller\/service\/type': value must be one of/],
    ['controller.service.ports.http=70000', /'\/controller\/service\/ports\/http': maximum/],
    ['controller.image.digest=abc', /'\/controller\/image\/digest': 'abc' does not match/],
    ['controller.logLevel=trace', /'\/controller\/logLevel': value must be one of/],
    ['controller.config.WORKERS=2', /invalid propertyName 'WORKERS'/],
    ['controller.config.workers.a=2', /'\/controller\/config\/workers': got object/],
    ['controller.podAnnotations.a=1', /'\/controller\/podAnnotations\/a': got number, want string/],
    ['controller.defaultBackendService=web', /'\/controller\/defaultBackendService'/],
    ['controller.scope.namespaces={A}', /'\/controller\/scope\/namespaces\/0': 'A' does not match/],
    ['rbac.secrets.scope=all', /'\/rbac\/secrets\/scope': value must be one of/],
    ['rbac.secrets.names={tls}', /'\/rbac\/secrets\/names\/0': 'tls' does not match/],
    ['admissionPolicy.validationActions={Refuse}', /'\/admissionPolicy\/validationActions\/0'/],
    ['rbac.scope=true', /rbac\.scope is true: .* want controller\.scope\.enabled true as well/],
    ['controller.scope.enabled=true,controller.scope.namespaceSelector=a', /want one of them/],
    ['rbac.secrets.scope=namespaces', /want at least one in rbac\.secrets\.namespaces/],
    ['controller.kind=DaemonSet,controller.autoscaling.enabled=true', /want controller\.kind "Deployment"/],
    [
      'controller.drainDelaySeconds=55',
      /is 60: want at least ten more than controller\.drainDelaySeconds \(55\)/,
    ],
    [
      'controller.hostNetwork=true,controller.hostPort.enabled=true',
      /want controller\.containerPort equal to/,
    ],
    ['controller.metrics.prometheusRule.enabled=true', /want at least one rule/],
    [
      'controller.metrics.enabled=false,controller.metrics.serviceMonitor.enabled=true',
      /want controller\.metrics\.enabled true as well/,
    ],
  ])('refuses %s', (set, message) => {
    expect(() => helmTemplate(helm, ['--set', set])).toThrow(message);
  });
});

/** One file below manifests/. */
export interface Manifest {
  /** Below the root. */
  readonly path: string;
  /** Comment lines for its head. */
  readonly about: readonly string[];
  /** For the chart. */
  readonly values: object;
  /** Left out: everything that the chart renders. */
  readonly kinds?: readonly string[];
  /** Default true: it makes the namespace too. */
  readonly withNamespace?: boolean;
}

const rbacKinds = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];

/** Serves the namespace that it runs in; needs nothing that belongs to no namespace. */
const namespaced = {
  controller: { scope: { enabled: true }, ingressClassResource: { enabled: false } },
  rbac: { scope: true },
  crds: { enabled: false },
};

/** Every manifest that is rendered from the chart. */
export const manifests: readonly Manifest[] = [
  {
    path: 'manifests/install.yaml',
    about: ['Everything: namespace, CRDs, rights, IngressClass, Deployment, Services, PodDisruptionBudget.'],
    values: {},
  },
  {
    path: 'manifests/rbac.yaml',
    about: ['The ServiceAccount and its rights alone; Secrets are read in every namespace.'],
    values: {},
    kinds: rbacKinds,
  },
  {
    path: 'manifests/rbac-secrets-namespaces.yaml',
    about: [
      'As rbac.yaml, but Secrets are read in named namespaces only: repeat the Role sallyport-secrets and its RoleBinding',
      'for each namespace of yours.',
    ],
    values: { rbac: { secrets: { scope: 'namespaces', namespaces: ['quickstart'] } } },
    kinds: rbacKinds,
  },
  {
    path: 'manifests/rbac-secrets-names.yaml',
    about: [
      'As rbac.yaml, but only Secrets that are named here are read: list yours in the Role sallyport-secrets, and repeat it',
      'and its RoleBinding for each namespace.',
    ],
    values: {
      rbac: {
        secrets: {
          scope: 'names',
          names: ['quickstart/shop-tls'],
        },
      },
    },
    kinds: rbacKinds,
  },
  {
    path: 'manifests/namespaced.yaml',
    about: [
      'For the namespace sallyport alone, which has to exist: a Role there and no right outside of it. Nothing here belongs to',
      'the cluster; its CRDs (crds/) are for an administrator to add, and without them there are only Ingresses.',
    ],
    values: namespaced,
    withNamespace: false,
  },
];

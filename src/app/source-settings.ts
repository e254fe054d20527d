import { setting } from './setting.ts';
import { labelSelector, namespaces, objectName, path, text, toggle } from './setting-types.ts';

/** What is served, and where it is read from. */
export const sourceSettings = {
  config: setting('Source', 'config', path, { default: '' }, 'YAML file of settings, keyed by flag'),
  manifests: setting(
    'Source',
    'manifests',
    path,
    { default: '' },
    'folder of manifests to read instead of a cluster; run follows its changes',
  ),
  ingressClass: setting(
    'Source',
    'ingress-class',
    text,
    { default: 'sallyport' },
    'class of the Ingresses and Routes to serve',
  ),
  controllerClass: setting(
    'Source',
    'controller-class',
    text,
    { default: 'sallyport.dev/ingress-controller' },
    'spec.controller of the IngressClass objects that are ours',
  ),
  ingressClassByName: setting(
    'Source',
    'ingress-class-by-name',
    toggle,
    { default: 'false' },
    'serve an IngressClass of the name --ingress-class whatever its controller',
  ),
  watchWithoutClass: setting(
    'Source',
    'watch-ingress-without-class',
    toggle,
    { default: 'false' },
    'serve Ingresses that name no class',
  ),
  watchNamespaces: setting(
    'Source',
    'watch-namespace',
    namespaces,
    { default: '' },
    'serve objects of these namespaces only, separated by commas; empty means all; nothing is asked of the cluster beyond them',
  ),
  watchNamespaceSelector: setting(
    'Source',
    'watch-namespace-selector',
    labelSelector,
    { default: '' },
    'serve objects of namespaces whose labels match, as in team=web,tier!=test',
  ),
  annotationsPrefix: setting(
    'Source',
    'annotations-prefix',
    text,
    { default: 'nginx.ingress.kubernetes.io' },
    'prefix of annotations that are read besides sallyport.dev',
  ),
  allowExternalName: setting(
    'Source',
    'allow-external-name',
    toggle,
    { default: 'false' },
    'forward to Services of type ExternalName',
  ),
  defaultBackendService: setting(
    'Source',
    'default-backend-service',
    objectName,
    { default: '' },
    'namespace/name of the Service that answers what no route takes; its first port is used',
  ),
} as const;

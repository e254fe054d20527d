import type { CompileOptions } from '../compile/compile-options.ts';
import type { Settings } from './settings.ts';

/** The part of the settings that the compiler needs. */
export function compileOptions(settings: Settings): CompileOptions {
  return {
    controllerClass: settings.controllerClass,
    ingressClass: settings.ingressClass,
    ingressClassByName: settings.ingressClassByName,
    watchIngressWithoutClass: settings.watchWithoutClass,
    annotationsPrefix: settings.annotationsPrefix,
    allowExternalName: settings.allowExternalName,
    watchNamespaces: settings.watchNamespaces.length === 0 ? undefined : settings.watchNamespaces,
    namespaceSelector: settings.watchNamespaceSelector,
    defaultBackendService: settings.defaultBackendService === '' ? undefined : settings.defaultBackendService,
  };
}

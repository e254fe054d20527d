import { CertificateMemory } from '../compile/certificate-memory.ts';
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
    defaultCertificate: settings.defaultCertificate === '' ? undefined : settings.defaultCertificate,
    ticketSecret: settings.sslTicketSecret === '' ? undefined : settings.sslTicketSecret,
    certificateMemory: new CertificateMemory(),
    sslRedirect: settings.sslRedirect,
    forceSslRedirect: settings.forceSslRedirect,
    httpRedirectCode: Number(settings.httpRedirectCode),
    now: () => Date.now(),
    defaultBackendService: settings.defaultBackendService === '' ? undefined : settings.defaultBackendService,
  };
}

import { defaultCompileOptions } from '../../src/compile/compile-options.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { listDiagnostics } from '../../src/compile/diagnostic-index.ts';
import type { DiagnosticCode } from '../../src/diagnostics/catalogue.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import { createSnapshot } from '../../src/model/snapshot-store.ts';

/** Full keys of annotations that were reported. */
export interface AnnotationReports {
  /** Their values cannot be used. */
  readonly faulty: readonly string[];
  /** They do nothing, whatever their value. */
  readonly idle: readonly string[];
}

const faultyCodes: ReadonlySet<DiagnosticCode> = new Set(['SP4102', 'SP4103', 'SP4005', 'SP4251', 'SP4252']);
const idleCodes: ReadonlySet<DiagnosticCode> = new Set(['SP4001', 'SP4002', 'SP4003', 'SP4004']);

/** What the compiler says of an Ingress of ours with these annotations. */
export function compileAnnotations(annotations: Readonly<Record<string, string>>): AnnotationReports {
  const options = { ...defaultCompileOptions, ingressClassByName: true };
  const { object } = decodeObject(ingressWith(annotations, options.ingressClass), { identity: 'content' });
  if (object === undefined) throw new Error('decode an Ingress with annotations: refused, want it taken');
  const { diagnostics } = createCompiler(options).compile(createSnapshot([object]));
  const keysOf = (codes: ReadonlySet<DiagnosticCode>): readonly string[] => {
    const found = listDiagnostics(diagnostics).filter(({ code }) => codes.has(code));
    return [...new Set(found.map(({ path }) => /^metadata\.annotations\[(.*)\]$/.exec(path)?.[1] ?? path))];
  };
  return { faulty: keysOf(faultyCodes), idle: keysOf(idleCodes) };
}

function ingressWith(annotations: Readonly<Record<string, string>>, ingressClassName: string): unknown {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'site', namespace: 'default', annotations },
    spec: { ingressClassName, defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  };
}

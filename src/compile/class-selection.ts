import type { IngressClass } from '../model/ingress.ts';
import type { ObjectMeta } from '../model/object-meta.ts';
import type { CompileOptions } from './compile-options.ts';
import type { ObjectContext } from './object-context.ts';

const LEGACY_ANNOTATION = 'kubernetes.io/ingress.class';

/**
 * Whether an object is ours, by the first of these that it says anything by: its class field, the legacy annotation, the
 * default class; and without any of them, by the flag.
 */
export function isSelected(
  ingressClassName: string | undefined,
  meta: ObjectMeta,
  context: ObjectContext,
): boolean {
  const { options } = context;
  if (ingressClassName !== undefined) return isOurClassName(ingressClassName, context);
  const legacy = meta.annotations.get(LEGACY_ANNOTATION) ?? '';
  if (legacy !== '') return legacy === options.ingressClass;
  for (const candidate of context.classes()) {
    if (candidate.isDefault && isOurs(candidate, options)) return true;
  }
  return options.watchIngressWithoutClass;
}

function isOurClassName(name: string, context: ObjectContext): boolean {
  const { options } = context;
  const found = context.lookUp('IngressClass', name);
  if (found !== undefined) return isOurs(found, options);
  const byName = options.ingressClassByName && name === options.ingressClass;
  // Any other missing class may be another controller's: not ours to complain about.
  if (!byName && name === options.ingressClass) {
    context.report(
      'SP2001',
      'spec.ingressClassName',
      `Ignoring the object: class "${name}" has no IngressClass object`,
    );
  }
  return byName;
}

function isOurs(found: IngressClass, options: CompileOptions): boolean {
  if (found.controller === options.controllerClass) return true;
  return options.ingressClassByName && found.meta.name === options.ingressClass;
}

import type { Snapshot } from '../model/snapshot.ts';
import type { CompileOptions } from './compile-options.ts';
import type { Fragment } from './fragment.ts';
import { ObjectContext } from './object-context.ts';
import { objectRank } from './rank.ts';
import { parseNamespacedName } from './resolve-reference.ts';
import { resolveCertificate } from './tls.ts';

/** The certificate for names that no host has, as the host ''. Flags are the operator's and need no grant. */
export function compileDefaultCertificate(
  snapshot: Snapshot,
  options: CompileOptions,
): Pick<Fragment, 'object' | 'certificates' | 'diagnostics' | 'reads'> | undefined {
  if (options.defaultCertificate === undefined) return undefined;
  const named = parseNamespacedName(options.defaultCertificate, '');
  if (named === undefined) return undefined;
  const object = { kind: 'Secret', ...named };
  const context = new ObjectContext(object, snapshot, options);
  const secret = resolveCertificate({ ...named, field: '' }, context);
  const rank = objectRank(object, { createdAtMs: 0 });
  const certificates = secret === undefined ? [] : [{ host: '', rank, object, field: '', secret }];
  return { object, certificates, diagnostics: context.diagnostics, reads: context.reads };
}

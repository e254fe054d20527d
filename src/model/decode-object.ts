import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, FileLocation, ObjectRef } from '../diagnostics/diagnostic.ts';

import { checkTree } from './check-tree.ts';
import { decodeMeta } from './decode-meta.ts';
import type { Identity } from './decode-meta.ts';
import { Field, quote } from './field.ts';
import type { Fault } from './field.ts';
import { isKind, isReadVersion, kindEntries } from './kinds.ts';
import type { ModelObject } from './snapshot.ts';
import { objectName } from './text-checks.ts';

/** Where an untyped object comes from. */
export interface Origin {
  readonly identity: Identity;
  /** Of the document, when it comes from a file: it goes into every diagnostic. */
  readonly location?: FileLocation;
  /** The line of a field, where the source knows it better than by document. */
  readonly lineOf?: (path: string) => number | undefined;
}

export interface DecodedObject {
  /** What the object calls itself, as far as that can be read; '' where it cannot. */
  readonly ref: ObjectRef;
  /** Left out when anything is wrong with it. */
  readonly object?: ModelObject;
  /** `apps/v1 Deployment`, when Sallyport does not read the kind. No diagnostic is made of it here. */
  readonly unknownKind?: string;
  /** Every fault of the object, not only the first. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * From parsed YAML or JSON to a typed object. Never throws, whatever comes in. A List is the caller's to unfold
 * (`expandList`) first.
 */
export function decodeObject(raw: unknown, origin: Origin): DecodedObject {
  const ref = refOf(raw);
  const treeFaults = checkTree(raw);
  if (treeFaults.length > 0) return refused(ref, treeFaults, origin);
  const faults: Fault[] = [];
  const root = new Field(raw, '', faults).object();
  if (faults.length > 0) return refused(ref, faults, origin);
  const apiVersion = root.get('apiVersion').text();
  const kind = root.get('kind').text();
  if (faults.length > 0) return refused(ref, faults, origin);
  if (!isKind(kind)) return { ref, unknownKind: `${apiVersion} ${kind}`, diagnostics: [] };
  const entry = kindEntries[kind];
  if (!isReadVersion(entry, apiVersion)) return otherVersion(ref, apiVersion, origin);
  const { namespaced, nameCheck, decode } = entry;
  const meta = decodeMeta(root, {
    kind,
    namespaced,
    identity: origin.identity,
    ...(nameCheck === undefined ? {} : { nameCheck }),
  });
  const object = decode(root, meta);
  return faults.length > 0 ? refused(ref, faults, origin) : { ref, object, diagnostics: [] };
}

/** A kind of ours in another group or version: an old manifest, or somebody else's kind of the same name. */
function otherVersion(ref: ObjectRef, apiVersion: string, origin: Origin): DecodedObject {
  const wanted = isKind(ref.kind) ? kindEntries[ref.kind].apiVersion : '';
  const message = `Left out ${ref.kind} of apiVersion ${quote(apiVersion)}, want ${quote(wanted)}`;
  return {
    ref,
    unknownKind: `${apiVersion} ${ref.kind}`,
    diagnostics: [located(diagnose('SP1005', ref, 'apiVersion', message), origin)],
  };
}

function refused(ref: ObjectRef, faults: readonly Fault[], origin: Origin): DecodedObject {
  return {
    ref,
    diagnostics: faults.map(({ path, message }) => located(diagnose('SP1002', ref, path, message), origin)),
  };
}

function located(diagnostic: Diagnostic, { location, lineOf }: Origin): Diagnostic {
  if (location === undefined) return diagnostic;
  return { ...diagnostic, location: { ...location, line: lineOf?.(diagnostic.path) ?? location.line } };
}

/** The identity of an object that may be broken everywhere else. */
function refOf(raw: unknown): ObjectRef {
  const root = new Field(raw, '', []);
  const kind = textOf(root.get('kind'));
  const metadata = root.get('metadata');
  const namespaced = !isKind(kind) || kindEntries[kind].namespaced;
  const namespace = namespaced ? textOf(metadata.get('namespace')) || 'default' : '';
  const name = textOf(metadata.get('name'));
  return { kind, namespace, name: objectName(name) === undefined ? name : '' };
}

function textOf({ value }: Field): string {
  return typeof value === 'string' && value.length <= 253 ? value : '';
}

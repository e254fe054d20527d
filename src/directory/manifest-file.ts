import { diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic, FileLocation, ObjectRef } from '../diagnostics/diagnostic.ts';
import { decodeObject } from '../model/decode-object.ts';
import type { DecodedObject } from '../model/decode-object.ts';
import { expandList } from '../model/expand-list.ts';
import type { ListItem } from '../model/expand-list.ts';
import { isKind } from '../model/kinds.ts';
import type { ModelObject } from '../model/snapshot.ts';

import { parseJson, parseYaml } from './parse-yaml.ts';
import type { Parsed } from './parse-yaml.ts';
import { splitDocuments } from './split-documents.ts';
import type { DocumentText } from './split-documents.ts';

export interface LocatedObject {
  readonly object: ModelObject;
  readonly location: FileLocation;
  /** Where a field stands, or what is nearest around it when the field is left out. Paths as in diagnostics. */
  locate(path: string): FileLocation;
}

/** An object of a kind that Sallyport does not read. */
export interface UnreadObject {
  /** `apps/v1 Deployment` */
  readonly name: string;
  readonly ref: ObjectRef;
  readonly location: FileLocation;
}

/** What one file says, together with what stays in force of what it said before. */
export interface ManifestFile {
  /** Below the folder, with `/`. */
  readonly path: string;
  /** By `objectId`. */
  readonly objects: ReadonlyMap<string, LocatedObject>;
  readonly unread: readonly UnreadObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** By text: a document that stays as it is, is not parsed again. */
  readonly decoded: ReadonlyMap<string, DecodedDocument>;
}

/** Lines count from 1 within the document's own text. */
interface DecodedDocument {
  readonly entries: readonly DecodedEntry[];
  readonly fault: { readonly line: number; readonly reason: string } | undefined;
}

interface DecodedEntry extends DecodedObject {
  readonly line: number;
  /** Of a field of the object. */
  lineOf(path: string): number | undefined;
}

/** Identity over all kinds: `Ingress/team-a/shop`. */
export function objectId({ kind, namespace, name }: ObjectRef): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

/** How a diagnostic names a file as a whole. */
export function fileRef(path: string): ObjectRef {
  return { kind: 'File', namespace: '', name: path };
}

/**
 * Reads the text of one file. What of it is broken keeps its last good objects from `before`: an object by its name
 * where that can be read; where it cannot, everything that the file held and that no other document of it declares.
 */
export function readManifest(path: string, text: string, before?: ManifestFile): ManifestFile {
  const reading = new Reading(path);
  for (const document of documentsOf(path, text)) {
    const known = reading.decoded.get(document.text) ?? before?.decoded.get(document.text);
    reading.add(document, known ?? decodeDocument(path, document.text));
  }
  reading.keep(before);
  return reading;
}

/** A file that cannot be read as text: what it held stays in force. */
export function unreadableManifest(path: string, reason: string, before?: ManifestFile): ManifestFile {
  const message = `Kept what ${path} held before, because it cannot be read: ${reason}`;
  const location = { file: path, document: 1, line: 1 };
  return {
    path,
    objects: before?.objects ?? new Map(),
    unread: before?.unread ?? [],
    diagnostics: [{ ...diagnose('SP1001', fileRef(path), '', message), location }],
    decoded: before?.decoded ?? new Map(),
  };
}

function documentsOf(path: string, text: string): readonly DocumentText[] {
  if (!path.endsWith('.json')) return splitDocuments(text);
  return text.trim() === '' ? [] : [{ text, index: 1, firstLine: 1, line: 1 }];
}

function decodeDocument(path: string, text: string): DecodedDocument {
  const parsed = path.endsWith('.json') ? parseJson(text) : parseYaml(text);
  if (!parsed.ok) return { entries: [], fault: parsed };
  if (parsed.value === null) return { entries: [], fault: undefined };
  const items = expandList(parsed.value);
  if (items === undefined) return { entries: [], fault: { line: 1, reason: 'too many objects in one list' } };
  return { entries: items.map((item) => decodeItem(item, parsed, path)), fault: undefined };
}

function decodeItem(
  { raw, path: itemPath }: ListItem,
  { lineOf }: Extract<Parsed, { ok: true }>,
  file: string,
): DecodedEntry {
  const line = (itemPath === '' ? undefined : lineOf(itemPath)) ?? 0;
  const inDocument = (path: string): string => {
    if (itemPath === '' || path === '') return itemPath + path;
    return path.startsWith('[') ? itemPath + path : `${itemPath}.${path}`;
  };
  const lineOfField = (path: string): number | undefined =>
    path === '' ? undefined : nearestLine(inDocument(path), lineOf);
  const decoded = decodeObject(raw, {
    identity: 'content',
    location: { file, document: 0, line },
    lineOf: lineOfField,
  });
  return { ...decoded, line, lineOf: lineOfField };
}

/** The line of a field, or of the nearest thing around it when the field is left out. */
function nearestLine(path: string, lineOf: (path: string) => number | undefined): number | undefined {
  for (let at = path; at !== ''; at = at.replace(/(?:\.[\w-]+|\[[^\]]*\]|^[\w-]+)$/, '')) {
    const line = lineOf(at);
    if (line !== undefined) return line;
    if (!/(?:\.[\w-]+|\[[^\]]*\]|^[\w-]+)$/.test(at)) return undefined;
  }
  return undefined;
}

class Reading implements ManifestFile {
  readonly path: string;
  readonly objects = new Map<string, LocatedObject>();
  readonly unread: UnreadObject[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly decoded = new Map<string, DecodedDocument>();
  readonly #broken = new Set<string>();
  #namelessBroken = false;

  constructor(path: string) {
    this.path = path;
  }

  add(document: DocumentText, decoded: DecodedDocument): void {
    this.decoded.set(document.text, decoded);
    if (decoded.fault !== undefined) this.#addFault(document, decoded.fault);
    for (const entry of decoded.entries) this.#addEntry(document, entry);
  }

  /** Takes over the last good objects of what is broken now. */
  keep(before: ManifestFile | undefined): void {
    for (const [id, located] of before?.objects ?? []) {
      if (!this.objects.has(id) && (this.#namelessBroken || this.#broken.has(id)))
        this.objects.set(id, located);
    }
  }

  #addFault(document: DocumentText, { line, reason }: { line: number; reason: string }): void {
    this.#namelessBroken = true;
    const message = `Cannot parse document ${document.index} of ${this.path}: ${reason}`;
    const location = this.#locate(document, line);
    this.diagnostics.push({ ...diagnose('SP1001', fileRef(this.path), '', message), location });
  }

  #addEntry(document: DocumentText, entry: DecodedDocument['entries'][number]): void {
    const location = this.#locate(document, entry.line);
    for (const diagnostic of entry.diagnostics) {
      const line = diagnostic.location?.line ?? 0;
      this.diagnostics.push({
        ...named(diagnostic, this.path, document),
        location: this.#locate(document, line),
      });
    }
    if (entry.object !== undefined) {
      const locate = (path: string): FileLocation => this.#locate(document, entry.lineOf(path) ?? entry.line);
      this.#addObject(entry.ref, { object: entry.object, location, locate });
    } else if (entry.unknownKind === undefined) this.#addBroken(entry.ref);
    else if (entry.diagnostics.length === 0) {
      this.unread.push({ name: entry.unknownKind, ref: entry.ref, location });
    }
  }

  #addObject(ref: ObjectRef, located: LocatedObject): void {
    const id = objectId(ref);
    const first = this.objects.get(id);
    if (first === undefined) this.objects.set(id, located);
    else this.diagnostics.push(duplicateOf(ref, first.location, located.location));
  }

  #addBroken(ref: ObjectRef): void {
    if (isKind(ref.kind) && ref.name !== '') this.#broken.add(objectId(ref));
    else this.#namelessBroken = true;
  }

  /** Line 0 of a document is where its content begins. */
  #locate(document: DocumentText, line: number): FileLocation {
    const inFile = line === 0 ? document.line : document.firstLine + line - 1;
    return { file: this.path, document: document.index, line: inFile };
  }
}

/** SP1004, about the declaration at `location`. */
export function duplicateOf(ref: ObjectRef, first: FileLocation, location: FileLocation): Diagnostic {
  const message = `Left out this declaration: the object is declared in ${first.file}:${first.line}, want it once`;
  return { ...diagnose('SP1004', ref, '', message), location };
}

/** An object that does not even say what it is, is called by its place. */
function named(diagnostic: Diagnostic, path: string, document: DocumentText): Diagnostic {
  const { kind, name } = diagnostic.object;
  if (kind !== '' && name !== '') return diagnostic;
  const place = `${path}#${document.index}`;
  return {
    ...diagnostic,
    object: { ...diagnostic.object, namespace: '', kind: kind || 'Document', name: name || place },
  };
}

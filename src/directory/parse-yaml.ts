import {
  NOT_RESOLVED,
  Schema,
  YAML11_SCHEMA,
  YAMLException,
  constructFromEvents,
  defineScalarTag,
  floatYaml11Tag,
  intYaml11Tag,
  parseEvents,
} from 'js-yaml';
import type { ScalarTagDefinition } from 'js-yaml';

import { pathLines } from './path-lines.ts';

/** A document as untyped data, or why it is not one. Lines count from 1 within the text given. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown; readonly lineOf: (path: string) => number | undefined }
  | { readonly ok: false; readonly line: number; readonly reason: string };

const maxAliases = 200;
const maxDepth = 64;

/** Tags that nothing in a manifest means: kubectl reads dates as text and knows no such collections. */
const unwantedTags: ReadonlySet<string> = new Set(
  ['timestamp', 'binary', 'omap', 'pairs', 'set'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** YAML 1.1 counts `12:30` as a number to base 60; kubectl's parser does not, and hosts with ports look like it. */
function withoutBase60(tag: ScalarTagDefinition<number>): ScalarTagDefinition<number> {
  return defineScalarTag<number>(tag.tagName, {
    ...tag,
    resolve: (source, isExplicit, name) =>
      source.includes(':') ? NOT_RESOLVED : tag.resolve(source, isExplicit, name),
  });
}

/** YAML 1.1 as kubectl reads it (`on` and `yes` are true, `<<` merges). */
const schema = new Schema(YAML11_SCHEMA.tags.filter(({ tagName }) => !unwantedTags.has(tagName))).withTags(
  withoutBase60(intYaml11Tag),
  withoutBase60(floatYaml11Tag),
);

/** Parses the text of one document (`splitDocuments`). Never throws. */
export function parseYaml(text: string): Parsed {
  try {
    const events = parseEvents(text, { maxDepth });
    const [value] = constructFromEvents(events, { source: text, schema, maxAliases });
    return { ok: true, value: value ?? null, lineOf: lazyLines(text) };
  } catch (error) {
    return { ok: false, ...faultOf(error) };
  }
}

/**
 * Parses the text of a JSON file. Never throws. What is not JSON is tried as YAML, of which JSON is a part: kubectl
 * reads it so, and the YAML parser knows the line of a fault.
 */
export function parseJson(text: string): Parsed {
  try {
    const value = JSON.parse(text) as unknown;
    return { ok: true, value, lineOf: lazyLines(text) };
  } catch {
    return parseYaml(text);
  }
}

/**
 * Lines are asked for only where something is wrong, so they are worked out then, from the text, which is kept anyway. Of
 * all lines only those asked for are kept: thousands of documents may each have a finding.
 */
function lazyLines(text: string): (path: string) => number | undefined {
  const answers = new Map<string, number | undefined>();
  let all: WeakRef<ReadonlyMap<string, number>> | undefined;
  return (path) => {
    if (answers.has(path)) return answers.get(path);
    let lines = all?.deref();
    if (lines === undefined) {
      lines = pathLines(parseEvents(text, { maxDepth }), text);
      all = new WeakRef(lines);
    }
    const line = lines.get(path);
    answers.set(path, line);
    return line;
  };
}

function faultOf(error: unknown): { line: number; reason: string } {
  if (error instanceof YAMLException) {
    return { line: (error.mark?.line ?? 0) + 1, reason: error.reason };
  }
  return { line: 1, reason: error instanceof Error ? error.message : String(error) };
}

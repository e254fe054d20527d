import { readdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { defaultCompileOptions } from '../../src/compile/compile-options.ts';
import type { CompileOptions } from '../../src/compile/compile-options.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { listDiagnostics } from '../../src/compile/diagnostic-index.ts';
import { describeRef } from '../../src/diagnostics/diagnostic.ts';
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { parseYaml } from '../../src/directory/parse-yaml.ts';
import { splitDocuments } from '../../src/directory/split-documents.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import { expandList } from '../../src/model/expand-list.ts';
import { createSnapshot } from '../../src/model/snapshot-store.ts';
import type { ModelObject } from '../../src/model/snapshot.ts';
import { printTable } from '../../src/table/print-table.ts';
import type { RouteTable } from '../../src/table/route-table.ts';

const root = import.meta.dirname;

/** A golden case: one folder that says what goes in and what must come out. */
export interface GoldenCase {
  readonly name: string;
  readonly objects: readonly ModelObject[];
  /** Of decoding. */
  readonly diagnostics: readonly Diagnostic[];
  readonly options: CompileOptions;
  /** Untyped: test/golden/decide.ts reads them. */
  readonly requests: readonly unknown[];
}

export function caseNames(): readonly string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

export function readCase(name: string): GoldenCase {
  const documents = readYaml(name, 'in.yaml').flatMap((document) => expandList(document) ?? []);
  const decoded = documents.map(({ raw }) => decodeObject(raw, { identity: 'content' }));
  return {
    name,
    objects: decoded.flatMap(({ object }) => object ?? []),
    diagnostics: decoded.flatMap(({ diagnostics }) => diagnostics),
    options: { ...defaultCompileOptions, ...(readYaml(name, 'options.yaml')[0] as Partial<CompileOptions>) },
    requests: (readYaml(name, 'requests.yaml')[0] ?? []) as readonly unknown[],
  };
}

/** What a case compiles to. `table` and `status` are in the form that is stored. */
export interface Outcome extends Expected {
  readonly routeTable: RouteTable;
}

export interface Expected {
  readonly table: unknown;
  readonly status: unknown;
}

export function compileCase(golden: GoldenCase, objects: readonly ModelObject[]): Outcome {
  const { table, diagnostics } = createCompiler(golden.options).compile(createSnapshot(objects));
  const routeTable = { generation: 1, ...table };
  const found = [...golden.diagnostics, ...listDiagnostics(diagnostics)];
  return {
    routeTable,
    table: plain(printTable(routeTable)),
    status: plain(
      found.map(({ object, code, severity, path, message }) => ({
        object: describeRef(object),
        code,
        severity,
        path,
        message,
      })),
    ),
  };
}

export function readExpected(name: string): Expected {
  return { table: readJson(name, 'table.json'), status: readJson(name, 'status.json') };
}

export async function writeExpected(name: string, { table, status }: Expected): Promise<void> {
  const { format } = await import('prettier');
  const style = { parser: 'json', printWidth: 110 };
  writeFileSync(join(root, name, 'table.json'), await format(JSON.stringify(table), style));
  writeFileSync(join(root, name, 'status.json'), await format(JSON.stringify(status), style));
}

/** Another order of the same items, always the same for one seed (Fisher–Yates over a linear congruence). */
export function shuffle<T>(items: readonly T[], seed: number): readonly T[] {
  const result = [...items];
  let state = seed;
  for (let index = result.length - 1; index > 0; index--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (index + 1);
    [result[index], result[other]] = [result[other] as T, result[index] as T];
  }
  return result;
}

function readYaml(name: string, file: string): readonly unknown[] {
  const path = join(root, name, file);
  if (!existsSync(path)) return [];
  return splitDocuments(readFileSync(path, 'utf8')).map(({ text }) => {
    const parsed = parseYaml(text);
    if (!parsed.ok) throw new Error(`reading ${name}/${file}: line ${parsed.line}: ${parsed.reason}`);
    return parsed.value;
  });
}

function readJson(name: string, file: string): unknown {
  return JSON.parse(readFileSync(join(root, name, file), 'utf8'));
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

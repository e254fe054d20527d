import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { admissionPolicies } from '../tools/manifests/admission-policy.ts';
import { annotationsPage } from '../tools/reference/annotations-page.ts';
import { routeCrd } from '../tools/reference/crds.ts';
import { routePage } from '../tools/reference/route-page.ts';
import { createFilterRegistry } from '../src/filters/filter-registry.ts';
import type { AnnotationSpec, FilterSpec } from '../src/filters/filter.ts';
import { readAnnotation } from '../src/filters/read-annotation.ts';
import { filterRegistry } from '../src/filters/registry.ts';
import { ValueReader } from '../src/filters/value-reader.ts';
import { linkRoute } from '../src/proxy/link-route.ts';
import type { TableRoute } from '../src/table/route-table.ts';
import { MetricRows } from '../src/telemetry/metric-rows.ts';
import {
  filterRequest,
  filterResponse,
  headerLines,
  parseAnnotations,
  parseRouteFilter,
} from './support/filter-harness.ts';

// docs/developing.md says that a feature is one file and one line of the registry. This adds a filter in just that way and
// finds it again at every end: parsers, chain, CRD, admission policy, reference pages.

interface Motto {
  readonly text: string;
}

const mottoAnnotation: AnnotationSpec = {
  name: 'motto',
  grammar: { kind: 'pattern', re2: '[ -~]+', maxLength: 64, want: 'a text of visible ASCII' },
  default: '',
  doc: 'A motto for every answer.',
};

const motto: FilterSpec<Motto> = {
  name: 'motto',
  doc: 'Adds a motto to every answer.',
  route: {
    schema: {
      type: 'object',
      required: ['text'],
      properties: { text: { type: 'string', minLength: 1, maxLength: 64, description: 'The motto.' } },
    },
    example: { text: 'onwards' },
    parse(value, context) {
      const reader = new ValueReader(context);
      const text = reader.string(reader.object(value, '', ['text'])?.['text'], 'text', 64);
      return reader.failed || text === undefined ? undefined : { text };
    },
  },
  annotations: {
    known: [mottoAnnotation],
    parse(get, context) {
      const text = readAnnotation(mottoAnnotation, get, context);
      return text === '' ? undefined : { text };
    },
  },
  create: ({ text }) => ({
    onResponse(response) {
      response.headers.append('X-Motto', text);
    },
  }),
};

/** The one line. */
const registry = createFilterRegistry([...filterRegistry.specs, motto]);

const route: TableRoute = {
  id: 'Route/n/r/0.0',
  digest: '0',
  hosts: ['a.example'],
  path: { type: 'prefix', value: '/' },
  rank: '',
  filters: [{ name: 'motto', config: { text: 'onwards' } }],
  action: { kind: 'respond', code: 'SP_NO_ENDPOINTS' },
  origin: { kind: 'Route', namespace: 'n', name: 'r', field: 'spec.rules[0]', service: '' },
};

describe('a filter that is one file and one registry line', () => {
  test('is parsed from a Route, and its faults are reported', () => {
    const spec = registry.find('motto');
    expect(spec).toBe(motto);
    expect(parseRouteFilter(motto, { text: 'onwards' })).toEqual({
      config: { text: 'onwards' },
      reports: [],
    });
    expect(parseRouteFilter(motto, { texts: 'onwards' }).reports.map(({ path }) => path)).toEqual([
      'texts',
      'text',
    ]);
  });

  test('is parsed from annotations, which are then known', () => {
    expect(parseAnnotations(motto, { motto: 'onwards' }).config).toEqual({ text: 'onwards' });
    expect(registry.annotations.map(({ name }) => name)).toContain('motto');
  });

  test('runs in the chain of a linked route, at the place of its line', () => {
    const context = {
      filters: registry,
      metricsRow: (index: number) => new MetricRows().row(index),
      upstream: () => undefined,
      upstreamEntry: () => undefined,
    };
    const { link, fault } = linkRoute(route, 0, context);
    expect(fault).toBeUndefined();
    const response = filterResponse();
    for (const filter of link.responseFilters ?? []) filter.onResponse?.(response, filterRequest());
    expect(headerLines(response.headers)).toEqual(['X-Motto: onwards']);
    expect(registry.position('motto')).toBe(filterRegistry.specs.length);
  });

  test('fails its route closed where the worker does not know it', () => {
    const context = {
      filters: filterRegistry,
      metricsRow: (index: number) => new MetricRows().row(index),
      upstream: () => undefined,
      upstreamEntry: () => undefined,
    };
    const { link, fault } = linkRoute(route, 0, context);
    expect(fault).toContain('motto');
    expect(link.route.action).toEqual({ kind: 'respond', code: 'SP_ROUTE_INVALID' });
  });

  test('is in the CRD, with its place in the rule of one filter an entry', () => {
    expect(routeCrd(filterRegistry)).not.toContain('motto');
    const crd = routeCrd(registry);
    expect(crd).toContain('The motto.');
    expect(crd).toContain('has(self.motto)]');
  });

  test('is in the reference', () => {
    expect(routePage(registry)).toContain('### motto\n\nAdds a motto to every answer.');
    expect(annotationsPage(registry.annotations)).toContain('A motto for every answer.');
  });

  test('is in the admission policy', () => {
    expect(admissionPolicies(filterRegistry)).not.toContain('motto');
    expect(admissionPolicies(registry)).toContain(
      'annotation motto: the value cannot be used, want a text of',
    );
  });

  test('cannot take a name or an annotation that is in use', () => {
    expect(() => createFilterRegistry([...registry.specs, { ...motto, name: 'other' }])).toThrow(
      'annotation',
    );
    expect(() => createFilterRegistry([...filterRegistry.specs, { ...motto, name: 'redirect' }])).toThrow(
      'name',
    );
  });
});

test('every path that the story names exists', () => {
  const root = join(import.meta.dirname, '..');
  const story = readFileSync(join(root, 'docs/developing.md'), 'utf8');
  const paths = [...story.matchAll(/\]\(\.\.\/([^)#]+)\)/g)].map((match) => match[1] ?? '');
  expect(paths.length).toBeGreaterThan(5);
  for (const path of paths) expect(() => readFileSync(join(root, path), 'utf8')).not.toThrow(/ENOENT/);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { compiledAnnotations } from '../../src/compile/annotation-docs.ts';
import { filterRegistry } from '../../src/filters/registry.ts';
import { admissionPolicies } from './admission-policy.ts';

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly policyName?: string;
    readonly validationActions?: readonly string[];
    readonly failurePolicy?: string;
    readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
    readonly validations?: readonly Readonly<Record<string, string>>[];
  };
}

const text = admissionPolicies(filterRegistry);
const documents = loadAll(text) as readonly Document[];
const policies = documents.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
const bindings = documents.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');

describe('the admission policies', () => {
  test('are bound, one to refuse and one to warn', () => {
    expect(policies.map(({ metadata, spec }) => [metadata.name, spec.failurePolicy])).toEqual([
      ['sallyport-annotation-values', 'Fail'],
      ['sallyport-annotation-support', 'Ignore'],
    ]);
    expect(bindings.map(({ spec }) => [spec.policyName, spec.validationActions])).toEqual([
      ['sallyport-annotation-values', ['Deny']],
      ['sallyport-annotation-support', ['Warn', 'Audit']],
    ]);
  });

  test('check every annotation whose values have a grammar', () => {
    const checked = policies[0]?.spec.validations?.map(({ message = '' }) => message.split(/[ :]/)[1]);
    const wanted = [...filterRegistry.annotations, ...compiledAnnotations].filter(
      ({ grammar }) => grammar.kind !== 'any',
    );
    expect(checked).toEqual(wanted.map(({ name }) => name));
  });

  test('hold class and prefix at one place each, so that the chart can put its own in', () => {
    const shipped = readFileSync(join(import.meta.dirname, '../../manifests/admission-policy.yaml'), 'utf8');
    const ours = ["== 'sallyport'", "'nginx.ingress.kubernetes.io/'"] as const;
    expect(ours.map((part) => shipped.split(part).length - 1)).toEqual(ours.map(() => policies.length));
    const theirs = admissionPolicies(filterRegistry, {
      ingressClass: 'edge',
      annotationsPrefix: 'ingress.example',
    });
    const replaced = shipped.replaceAll(ours[0], "== 'edge'").replaceAll(ours[1], "'ingress.example/'");
    expect(loadAll(replaced)).toEqual(loadAll(theirs));
  });

  test('have messages of one line, which the API server would take', () => {
    for (const { message = '', messageExpression = '' } of policies.flatMap(
      ({ spec }) => spec.validations ?? [],
    )) {
      expect(message).toMatch(/^[^\n]{10,}$/);
      expect(messageExpression.length).toBeLessThan(5 * 1024);
    }
  });
});

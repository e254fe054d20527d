import { describe, expect, test } from '@jest/globals';
import { catalogue, catalogueEntry } from './catalogue.ts';
import type { DiagnosticCode } from './catalogue.ts';
import { diagnose } from './diagnostic.ts';
import { eventText } from './event-text.ts';
import { cutText } from './finding-text.ts';
import { leavesOut, objectConditions } from './object-conditions.ts';

const route = { kind: 'Route', namespace: 'team', name: 'shop' };
const live = { kind: 'live', closed: [] } as const;
const codes = Object.keys(catalogue) as DiagnosticCode[];

describe('conditions', () => {
  test('nothing wrong: all True, and the same objects for everybody', () => {
    const conditions = objectConditions([], live);
    expect(conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Accepted', 'True', 'Accepted'],
      ['ResolvedRefs', 'True', 'ResolvedRefs'],
      ['Programmed', 'True', 'Programmed'],
    ]);
    expect(objectConditions([], live)).toBe(conditions);
  });

  test('a part that is left out makes Accepted False, with the reason of the first such finding', () => {
    const conditions = objectConditions(
      [
        diagnose('SP4301', route, 'spec.rules[0].retries', 'read "foo": not known'),
        diagnose('SP2004', route, 'spec.rules[1].matches[0]', 'read path "x": want "/" first'),
        diagnose('SP3001', route, 'spec.rules[2]', 'taken'),
      ],
      live,
    );
    expect(conditions[0]).toEqual({
      type: 'Accepted',
      status: 'False',
      reason: 'InvalidPath',
      message:
        'read path "x": want "/" first (SP2004 at spec.rules[1].matches[0]); taken (SP3001 at spec.rules[2]); ' +
        'read "foo": not known (SP4301 at spec.rules[0].retries)',
    });
    expect(conditions[1]?.status).toBe('True');
    expect(conditions[2]?.status).toBe('True');
  });

  test('what leaves nothing out stands in the message of a condition that is True', () => {
    const [accepted] = objectConditions([diagnose('SP4001', route, '', 'unknown')], live);
    expect(accepted).toEqual({
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: 'unknown (SP4001)',
    });
  });

  test('references have their own condition', () => {
    const conditions = objectConditions([diagnose('SP2101', route, 'spec', 'no Service')], live);
    expect(conditions.map(({ status, reason }) => `${status} ${reason}`)).toEqual([
      'True Accepted',
      'False BackendNotFound',
      'True Programmed',
    ]);
  });

  test.each([
    [{ kind: 'pending' }, 'Unknown', 'Pending'],
    [{ kind: 'refused', message: 'no such filter' }, 'False', 'TableRefused'],
    [{ kind: 'unread' }, 'False', 'Invalid'],
    [{ kind: 'live', closed: ['rules[0]: no key'] }, 'False', 'RouteClosed'],
  ] as const)('Programmed of %j', (state, status, reason) => {
    expect(objectConditions([], state)[2]).toMatchObject({ status, reason });
  });

  test('a thousand findings make a message of bounded length', () => {
    const findings = Array.from({ length: 1000 }, (_, index) =>
      diagnose('SP2004', route, `spec.rules[${index}]`, 'ü'.repeat(5000)),
    );
    const [accepted] = objectConditions(findings, live);
    expect(accepted?.message.length).toBeLessThan(32_768);
    expect(accepted?.message).toMatch(/; and 992 more$/);
  });
});

describe('the catalogue', () => {
  test.each(codes)('%s has a reason that Kubernetes takes', (code) => {
    expect(catalogueEntry(code).reason).toMatch(/^[A-Z][A-Za-z]{2,60}$/);
  });

  test('every error makes its condition False', () => {
    const mild = codes.filter(
      (code) => catalogueEntry(code).severity === 'error' && !leavesOut(catalogueEntry(code)),
    );
    expect(mild).toEqual([]);
  });
});

describe('events', () => {
  test('say what is wrong and what to do', () => {
    expect(eventText(diagnose('SP2101', route, 'spec.rules[0]', 'Service "a/b" does not exist'))).toEqual({
      reason: 'BackendNotFound',
      type: 'Warning',
      note:
        'Service "a/b" does not exist (SP2101 at spec.rules[0]). ' +
        'Create the Service, or correct its name; until then its routes answer 503',
    });
  });

  test.each(['x', 'é', '漢', '👍'])('notes of %j keep within 1024 bytes and whole characters', (letter) => {
    for (let length = 900; length <= 1100; length += 7) {
      const { note } = eventText(diagnose('SP2101', route, '', letter.repeat(length)));
      expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
      expect(note.isWellFormed()).toBe(true);
    }
  });

  test('a text that fits is not cut', () => {
    expect(cutText('漢'.repeat(100), 300)).toBe('漢'.repeat(100));
    expect(cutText('漢'.repeat(101), 300)).toBe(`${'漢'.repeat(99)}…`);
  });
});

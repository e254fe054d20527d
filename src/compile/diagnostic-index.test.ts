import { expect, test } from '@jest/globals';

import { diagnose } from '../diagnostics/diagnostic.ts';
import { DiagnosticIndex, listDiagnostics } from './diagnostic-index.ts';

test('the same words about another Service are another diagnostic', () => {
  const object = { kind: 'BackendPolicy', namespace: 'team', name: 'two' };
  const about = (service: string) => [
    { ...diagnose('SP4007', object, 'spec.tls.verify', 'the same'), service },
  ];
  const index = new DiagnosticIndex();
  index.replace('object', about('team/one'));
  expect(index.commit().changed.size).toBe(1);
  index.replace('object', about('team/three'));
  const { diagnostics, changed } = index.commit();
  expect(changed.size).toBe(1);
  expect(listDiagnostics(diagnostics).map(({ service }) => service)).toEqual(['team/three']);
  index.replace('object', about('team/three'));
  expect(index.commit().changed.size).toBe(0);
});

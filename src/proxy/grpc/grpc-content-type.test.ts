import { describe, expect, test } from '@jest/globals';
import { answerForm, grpcForm, withForm } from './grpc-content-type.ts';

describe('the form of gRPC', () => {
  test.each([
    ['application/grpc', 'grpc'],
    ['application/grpc+proto', 'grpc'],
    ['Application/GRPC+json', 'grpc'],
    ['application/grpc;charset=utf-8', 'grpc'],
    ['application/grpc-web', 'web'],
    ['application/grpc-web+proto', 'web'],
    ['application/grpc-web ; x=1', 'web'],
    ['application/grpc-web-text', 'web-text'],
    ['application/grpc-web-text+proto', 'web-text'],
  ])('%s is %s', (contentType, form) => {
    expect(grpcForm(contentType)).toBe(form);
  });

  test.each([
    undefined,
    '',
    'text/plain',
    'application/json',
    'application/grp',
    'application/grpcx',
    'application/grpc-webs',
    'application/grpc-web-texts+proto',
    'application/grpc/proto',
  ])('%j is none', (contentType) => {
    expect(grpcForm(contentType)).toBeUndefined();
  });
});

test.each([
  ['application/grpc-web-text+proto', 'grpc', 'application/grpc+proto'],
  ['application/grpc-web', 'grpc', 'application/grpc'],
  ['application/grpc+json; charset=utf-8', 'web', 'application/grpc-web+json; charset=utf-8'],
  ['application/grpc+proto', 'web-text', 'application/grpc-web-text+proto'],
] as const)('%s as %s is %s', (contentType, form, other) => {
  expect(withForm(contentType, form)).toBe(other);
});

test.each([
  [undefined, 'web', 'web'],
  ['*/*', 'web-text', 'web-text'],
  ['application/grpc-web-text', 'web', 'web-text'],
  ['application/json, application/grpc-web+proto', 'web-text', 'web'],
  ['application/grpc', 'web', 'web'],
] as const)('who accepts %s and sends %s gets %s', (accept, sent, form) => {
  expect(answerForm(accept, sent)).toBe(form);
});

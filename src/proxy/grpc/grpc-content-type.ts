// What a gRPC message is carried in, by its Content-Type (gRPC over HTTP/2, "Requests"; gRPC-Web, "Protocol differences").

/** `grpc`: HTTP/2 with trailers. `web` and `web-text`: gRPC-Web, in binary or as base64. */
export type GrpcForm = 'grpc' | 'web' | 'web-text';

const COMMON = 'application/grpc';
/** Longest first: each begins with those behind it. */
const forms: readonly (readonly [type: string, form: GrpcForm])[] = [
  ['application/grpc-web-text', 'web-text'],
  ['application/grpc-web', 'web'],
  [COMMON, 'grpc'],
];
const types: Readonly<Record<GrpcForm, string>> = {
  grpc: COMMON,
  web: 'application/grpc-web',
  'web-text': 'application/grpc-web-text',
};

/** Undefined for what is not gRPC. What stands behind the type (`+proto`, `;charset=…`) does not matter. */
export function grpcForm(contentType: string | undefined): GrpcForm | undefined {
  if (contentType === undefined || contentType.length < COMMON.length) return undefined;
  if (contentType === COMMON) return 'grpc';
  const type = contentType.slice(0, typeEnd(contentType)).toLowerCase();
  return forms.find(([known]) => known === type)?.[1];
}

/** The same messages in another form: `application/grpc+proto` ↔ `application/grpc-web+proto`. */
export function withForm(contentType: string, form: GrpcForm): string {
  return types[form] + contentType.slice(typeEnd(contentType));
}

/** The form that a client of gRPC-Web wants to be answered in: what it accepts, else what it has sent. */
export function answerForm(accept: string | undefined, sent: GrpcForm): GrpcForm {
  const wanted = (accept ?? '').split(',').map((type) => grpcForm(type.trim()));
  return wanted.find((form) => form === 'web' || form === 'web-text') ?? sent;
}

/** Where the type ends that says the form. */
function typeEnd(contentType: string): number {
  const end = contentType.search(/[+; \t]/);
  return end < 0 ? contentType.length : end;
}

import type { Message } from './our-reader.ts';

/** What our codec accepts and Node refuses, on purpose. Everything else of that kind is a finding. */
export interface AllowedDifference {
  readonly why: string;
  /** Codes of Node's error. */
  readonly nodeCodes: readonly string[];
  /** `before` are the messages ahead of the first one that only we accept. */
  applies(input: string, before: readonly Message[]): boolean;
}

const blankInExtension: AllowedDifference = {
  why: 'blanks around the parts of a chunk extension are to be parsed (RFC 9112 §7.1.1, BWS); the extension is dropped',
  nodeCodes: ['HPE_INVALID_CHUNK_SIZE', 'HPE_STRICT', 'HPE_INVALID_CONSTANT'],
  applies: (input) => /(?:^|\n)[0-9a-f]+[^\r\n]*(?:[ \t][;=]|[;=][ \t])/i.test(input),
};

const closeInTrailer: AllowedDifference = {
  why: 'a Connection field in a trailer section says nothing about the connection (RFC 9110 §6.5.1); it is dropped',
  nodeCodes: ['HPE_CLOSED_CONNECTION'],
  applies: (input, before) =>
    /\nConnection:/i.test(input) && !before.some(({ fields }) => fields.includes('close')),
};

export const allowedInRequests: readonly AllowedDifference[] = [blankInExtension, closeInTrailer];

export const allowedInResponses: readonly AllowedDifference[] = [
  blankInExtension,
  {
    why: 'an informational response does not end its connection, whatever its Connection field says',
    nodeCodes: ['HPE_CLOSED_CONNECTION'],
    applies: (input) => /^HTTP\/1\.[01] 1/.test(input),
  },
];

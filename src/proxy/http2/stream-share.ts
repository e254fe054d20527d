import type { Http2Stream } from '../../http2/http2-stream.ts';
import type { ErrorCodeName } from '../../telemetry/error-codes.ts';
import type { HeaderList } from '../../util/header-list.ts';
import type { Client } from '../client.ts';
import type { ProxyServices } from '../proxy-services.ts';
import type { ClientStream } from './client-stream.ts';
import type { RequestIntake } from './request-intake.ts';

/** What the streams of one connection share, and tell it. */
export interface StreamShare {
  readonly services: ProxyServices;
  readonly client: Client;
  /** Value of Strict-Transport-Security (RFC 6797), '' for none. */
  readonly hsts: string;
  /** Whether a proxy that is believed made the connection: it may speak for another scheme than its own. */
  readonly isTrusted: boolean;
  /** Many bytes wait for the client already. */
  readonly isCongested: boolean;
  /** Why requests end with the connection. */
  readonly goneCode: ErrorCodeName;
  /** Body bytes of all streams that were received and not consumed: kept by the streams. */
  unconsumedBytes: number;
  /** So many of them that the client may be unable to send, on whatever stream. */
  readonly isStarved: boolean;
  /** Bytes that have come of a frame of DATA which is not complete. */
  partialData(stream: Http2Stream): number;
  /** Body bytes have come: `settle` is wanted once everything that came together was handed over. */
  fed(intake: RequestIntake): void;
  /** Nobody looks at the fields of a request any more. */
  recycle(headers: HeaderList): void;
  /** A stream was given up because the client does not take what it asked for. Follows `released`. */
  stalled(): void;
  /** The stream is over. `isReusable`: the object may serve another. */
  released(stream: ClientStream, isReusable: boolean): void;
}

import { isRecord } from './project-object.ts';
import { resourcePath, resources } from './resources.ts';
import type { ObjectReport } from './status-feed.ts';
import type { ApiResponse, Transport } from './transport.ts';

/** Server-side apply of the status subresource (https://kubernetes.io/docs/reference/using-api/server-side-apply/). */
export class StatusPatch {
  readonly #transport: Transport;
  readonly #query: ReadonlyMap<string, string>;

  constructor(transport: Transport, fieldManager: string) {
    this.#transport = transport;
    this.#query = new Map([
      ['fieldManager', fieldManager],
      ['force', 'true'],
    ]);
  }

  /**
   * Makes `status` what this manager says of the object; fields that it said before and does not say now are taken out,
   * unless another manager has them too; `{}` takes out all of them. An Ingress of the same name and another uid is refused; of a custom resource the
   * API server ignores the uid (it keeps all metadata), so `isOf` has to tell.
   *
   * @throws TransportError without an answer
   */
  apply({ kind, key, uid }: ObjectReport, status: object, signal: AbortSignal): Promise<ApiResponse> {
    const [namespace = '', name = ''] = key.split('/');
    const resource = resources[kind];
    const { group, version } = resource;
    return this.#transport.request({
      method: 'PATCH',
      path: `${resourcePath(resource, { namespace, name })}/status`,
      query: this.#query,
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: `${group}/${version}`,
        kind,
        metadata: { namespace, name, ...(uid === '' ? {} : { uid }) },
        // Of an empty status in the body the API server makes null when nobody has fields left there, and then refuses it.
        ...(Object.keys(status).length === 0 ? {} : { status }),
      },
      signal,
    });
  }

  /** Whether the object that was written is the one that was reported on. */
  isOf({ uid }: ObjectReport, { body }: ApiResponse): boolean {
    const metadata = isRecord(body) ? body['metadata'] : undefined;
    return uid === '' || !isRecord(metadata) || metadata['uid'] === uid;
  }

  /** Whether the object is not there any more, or another one of its name is. */
  isGone({ status, body }: ApiResponse): boolean {
    if (status !== 422) return status === 404 || status === 409;
    const details = isRecord(body) ? body['details'] : undefined;
    const causes = isRecord(details) ? details['causes'] : undefined;
    return (
      Array.isArray(causes) && causes.some((cause) => isRecord(cause) && cause['field'] === 'metadata.uid')
    );
  }

  /** What the object's status is after it. */
  statusIn({ body }: ApiResponse): unknown {
    return isRecord(body) ? body['status'] : undefined;
  }

  /** What a refusal says. */
  messageIn({ body }: ApiResponse): string {
    const told = isRecord(body) ? body['message'] : body;
    return typeof told === 'string' ? told.slice(0, 500) : '';
  }
}

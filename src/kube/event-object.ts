import { hash } from 'node:crypto';

import type { EventText } from '../diagnostics/event-text.ts';
import { microTime } from './lease-record.ts';
import { resourcePath, resources } from './resources.ts';
import type { ObjectReport } from './status-feed.ts';
import type { ApiRequest } from './transport.ts';

/** What an Event is to say of an object. */
export interface EventSubject extends Pick<ObjectReport, 'kind' | 'key' | 'uid'> {
  readonly text: EventText;
}

/** Who says it. */
export interface EventReporter {
  /** `domain/name`. */
  readonly controller: string;
  /** The pod. */
  readonly instance: string;
}

const events = { group: 'events.k8s.io', version: 'v1', plural: 'events' };
const maxNameLength = 253;
const maxInstanceLength = 128;

/** The same for the same text on the same object, whoever says it and when: a second Event of it cannot come about. */
export function eventName({ key, uid, text }: EventSubject): string {
  const { reason, type, note } = text;
  const digest = hash('sha256', JSON.stringify([uid, reason, type, note]), 'hex').slice(0, 16);
  const name = key.slice(key.indexOf('/') + 1).slice(0, maxNameLength - digest.length - 1);
  return `${name.replace(/[^a-z0-9]+$/, '')}.${digest}`;
}

/** Creates the Event (events.k8s.io/v1, KEP-383). */
export function createEvent(subject: EventSubject, reporter: EventReporter, wallMs: number): ApiRequest {
  const [namespace = '', objectName = ''] = subject.key.split('/');
  const { group, version } = resources[subject.kind];
  const { reason, type, note } = subject.text;
  return {
    method: 'POST',
    path: resourcePath(events, { namespace }),
    body: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace, name: eventName(subject) },
      eventTime: microTime(wallMs),
      reportingController: reporter.controller,
      reportingInstance: reporter.instance.slice(0, maxInstanceLength),
      action: 'Compile',
      reason,
      type,
      note,
      regarding: {
        apiVersion: `${group}/${version}`,
        kind: subject.kind,
        namespace,
        name: objectName,
        ...(subject.uid === '' ? {} : { uid: subject.uid }),
      },
    },
  };
}

/** Counts one more occurrence in the Event that is there. */
export function countEvent(subject: EventSubject, count: number, wallMs: number): ApiRequest {
  const [namespace = ''] = subject.key.split('/');
  return {
    method: 'PATCH',
    path: resourcePath(events, { namespace, name: eventName(subject) }),
    contentType: 'application/merge-patch+json',
    body: { series: { count, lastObservedTime: microTime(wallMs) } },
  };
}

import type { AnnotationReader } from './annotation-reader.ts';
import type { ExchangeSettings } from './forward-settings.ts';
import type { OverridingSetting } from './fragment.ts';

type Row = Omit<OverridingSetting, 'path' | 'part'> & {
  readonly part: keyof ExchangeSettings;
  readonly annotation: string;
};

/** Annotations that set what a BackendPolicy can set too. */
const rows: readonly Row[] = [
  {
    annotation: 'proxy-connect-timeout',
    part: 'timeouts',
    member: 'connectMs',
    policyField: 'spec.timeouts.connect',
  },
  { annotation: 'proxy-send-timeout', part: 'timeouts', member: 'sendMs', policyField: 'spec.timeouts.send' },
  { annotation: 'proxy-read-timeout', part: 'timeouts', member: 'readMs', policyField: 'spec.timeouts.read' },
  {
    annotation: 'proxy-next-upstream',
    part: 'retry',
    member: 'onError',
    policyField: 'spec.retries.retryOn',
  },
  {
    annotation: 'proxy-next-upstream-tries',
    part: 'retry',
    member: 'tries',
    policyField: 'spec.retries.tries',
  },
  {
    annotation: 'proxy-next-upstream-timeout',
    part: 'retry',
    member: 'timeoutMs',
    policyField: 'spec.retries.timeout',
  },
];

/** Those of an object's annotations that made `settings`, and would go before a policy. */
export function overridingSettings(
  reader: AnnotationReader,
  settings: ExchangeSettings,
): readonly OverridingSetting[] {
  return rows
    .filter(
      ({ annotation, part, member }) =>
        reader.keys.has(annotation) && Object.hasOwn(settings[part] ?? {}, member),
    )
    .map(({ annotation, ...row }) => ({ ...row, path: reader.path(annotation) }));
}

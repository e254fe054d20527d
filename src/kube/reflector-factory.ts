import type { ReflectorSink } from './reflector-events.ts';
import type { RunningReflector } from './reflector-options.ts';
import type { ResourceScope } from './resources.ts';

/** Makes the reflector of one scope, not started yet. */
export type ReflectorFactory = (scope: ResourceScope, sink: ReflectorSink) => RunningReflector;

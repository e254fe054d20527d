import type { ReceivedRequest } from './api-request.ts';

/** What happens to a request before, or in place of, what would happen to it. */
export interface Fault {
  /** Waits for it, then goes on. */
  readonly after?: Promise<unknown>;
  readonly answer?: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
  /** 200 and this body, whatever it is. */
  readonly bytes?: Buffer | string;
  /** The usual answer, broken off after so many bytes of its body. */
  readonly cutAfterBytes?: number;
}

/** Which requests a fault is for. */
export interface FaultRule {
  readonly verb?: ReceivedRequest['verb'];
  readonly plural?: string;
  /** How often; left out: until it is taken back. */
  readonly times?: number;
  readonly when?: (request: ReceivedRequest) => boolean;
}

interface ActiveFault {
  readonly rule: FaultRule;
  readonly fault: Fault;
  left: number;
}

export class FaultRules {
  readonly #active: ActiveFault[] = [];

  /** Returns what takes it back. */
  add(rule: FaultRule, fault: Fault): () => void {
    const active = { rule, fault, left: rule.times ?? Number.POSITIVE_INFINITY };
    this.#active.push(active);
    return () => {
      active.left = 0;
    };
  }

  /** The oldest fault that is left for the request; it counts as used. */
  take(request: ReceivedRequest): Fault | undefined {
    const active = this.#active.find(({ rule, left }) => left > 0 && fits(rule, request));
    if (active === undefined) return undefined;
    active.left -= 1;
    return active.fault;
  }
}

function fits({ verb, plural, when }: FaultRule, request: ReceivedRequest): boolean {
  if (verb !== undefined && verb !== request.verb) return false;
  if (plural !== undefined && plural !== request.plural) return false;
  return when === undefined || when(request);
}

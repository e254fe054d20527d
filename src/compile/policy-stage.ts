import { describeRef, diagnose } from '../diagnostics/diagnostic.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { ClaimIndex } from './claim-index.ts';
import type { DiagnosticIndex } from './diagnostic-index.ts';
import type { OverridingSetting, PolicyClaim, PolicyOverride, UpstreamSettings } from './fragment.ts';
import { whyFirst } from './rank.ts';

const defaultSettings: UpstreamSettings = { protocol: 'http1', balance: 'round-robin' };

/** Which BackendPolicy holds for a Service, and who is told that another object goes before it. */
export class PolicyStage {
  readonly #policies = new ClaimIndex<PolicyClaim>();
  /** Service → what objects that lead to it set themselves. */
  readonly #overrides = new Map<string, Set<PolicyOverride>>();
  readonly #touched = new Set<string>();
  readonly #diagnostics: DiagnosticIndex;

  constructor(diagnostics: DiagnosticIndex) {
    this.#diagnostics = diagnostics;
  }

  replacePolicies(before: readonly PolicyClaim[], after: readonly PolicyClaim[]): void {
    for (const claim of before) this.#policies.remove(claim.service, claim);
    for (const claim of after) this.#policies.add(claim.service, claim);
  }

  replaceOverrides(before: readonly PolicyOverride[], after: readonly PolicyOverride[]): void {
    for (const override of before) {
      const overrides = this.#overrides.get(override.service);
      overrides?.delete(override);
      if (overrides?.size === 0) this.#overrides.delete(override.service);
      this.#touched.add(override.service);
    }
    for (const override of after) {
      this.#overrides.getOrInsertComputed(override.service, () => new Set()).add(override);
      this.#touched.add(override.service);
    }
  }

  /** What the first policy of a Service says, or the defaults. */
  settingsFor(service: string): UpstreamSettings {
    return this.#policies.get(service)[0]?.settings ?? defaultSettings;
  }

  /** Whether nothing may be sent to the Service, because the policy's settings cannot be had. */
  isClosed(service: string): boolean {
    return this.#policies.get(service)[0]?.closed === true;
  }

  /** Reports what was touched since the last time. Returns the Services whose policies were. */
  settle(): ReadonlySet<string> {
    const services = this.#policies.takeTouched();
    for (const service of services) {
      this.#diagnostics.replace(`policy ${service}`, judge(this.#policies.get(service)));
      this.#touched.add(service);
    }
    for (const service of this.#touched) {
      const [winner] = this.#policies.get(service);
      const overrides = winner === undefined ? [] : [...(this.#overrides.get(service) ?? [])];
      const told = overrides.flatMap((override) => tell(override, winner));
      this.#diagnostics.replace(`override ${service}`, told);
    }
    this.#touched.clear();
    return services;
  }
}

function judge([winner, ...losers]: readonly PolicyClaim[]): readonly Diagnostic[] {
  if (winner === undefined) return [];
  return losers.map(({ object, field, service, rank }) => {
    const message = `Leaving out the policy for Service "${service}": ${describeRef(winner.object)} has it and ${whyFirst(winner.rank, rank)}`;
    return { ...diagnose('SP3006', object, field, message), winner: winner.object };
  });
}

function tell(
  { object, service, settings }: PolicyOverride,
  winner: PolicyClaim | undefined,
): readonly Diagnostic[] {
  if (winner === undefined) return [];
  return settings
    .filter((setting) => isSet(setting, winner))
    .map(({ path, policyField }) => {
      const message = `Going before ${policyField} of ${describeRef(winner.object)} for Service "${service}"`;
      return diagnose('SP3007', object, path, message);
    });
}

function isSet({ part, member }: OverridingSetting, { settings, sets }: PolicyClaim): boolean {
  if (part === 'dialect') return member === 'tls' ? sets.tls : sets.protocol;
  return Object.hasOwn(settings[part] ?? {}, member);
}

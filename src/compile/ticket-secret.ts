import type { Secret } from '../model/core-objects.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { CompileOptions } from './compile-options.ts';
import type { Fragment } from './fragment.ts';
import { ObjectContext } from './object-context.ts';
import { parseNamespacedName } from './resolve-reference.ts';

/** As much as the keys that are made of it are worth. */
const MIN_SECRET_BYTES = 32;
/** The newest seals, the others still open what they sealed. */
const MAX_SECRETS = 3;

/** What a Secret holds for session tickets. */
export interface TicketSecrets {
  /** The newest first; empty when none can be used. */
  readonly secrets: readonly Buffer[];
  /** Names of values that are left out because they are too short. */
  readonly short: readonly string[];
}

/** The values of the last names in order of their characters, so that a name with a date says its age. */
export function readTicketSecrets({ data }: Secret): TicketSecrets {
  const names = [...data.keys()].toSorted().reverse();
  const values = names.map((name) => [name, data.get(name) ?? Buffer.alloc(0)] as const);
  return {
    secrets: values
      .filter(([, value]) => value.length >= MIN_SECRET_BYTES)
      .slice(0, MAX_SECRETS)
      .map(([, value]) => value),
    short: values.filter(([, value]) => value.length < MIN_SECRET_BYTES).map(([name]) => name),
  };
}

/** The reference to the Secret, and what is wrong with it. Its values never come into a table: workers get them apart. */
export function compileTicketSecret(
  snapshot: Snapshot,
  options: CompileOptions,
): Pick<Fragment, 'object' | 'diagnostics' | 'reads'> | undefined {
  const named =
    options.ticketSecret === undefined ? undefined : parseNamespacedName(options.ticketSecret, '');
  if (named === undefined) return undefined;
  const object = { kind: 'Secret', ...named };
  const context = new ObjectContext(object, snapshot, options);
  const key = `${named.namespace}/${named.name}`;
  const secret = context.lookUp('Secret', key);
  if (secret === undefined) {
    context.report('SP2207', '', `Secret "${key}" for session tickets does not exist`);
  } else {
    const { secrets, short } = readTicketSecrets(secret);
    for (const name of short.toReversed()) {
      const { length } = secret.data.get(name) ?? [];
      const message = `Leaving out a value of ${length} bytes for session tickets; want at least ${MIN_SECRET_BYTES}`;
      context.report('SP2208', `data[${JSON.stringify(name)}]`, message);
    }
    if (secrets.length === 0) {
      const want = `want a value of at least ${MIN_SECRET_BYTES} random bytes`;
      context.report('SP2208', 'data', `Secret "${key}" holds nothing for session tickets; ${want}`);
    }
  }
  return { object, diagnostics: context.diagnostics, reads: context.reads };
}

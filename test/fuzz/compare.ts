import type { AllowedDifference } from './allowed-differences.ts';
import type { Message, Transcript } from './our-reader.ts';

/**
 * What both readers accept they must have read alike; what we refuse Node may accept; what Node refuses we may accept only
 * by the written list. Returns what is wrong, or undefined.
 */
export function compare(
  ours: Transcript,
  nodes: Transcript,
  allowed: readonly AllowedDifference[],
  input: string,
): string | undefined {
  const asks = ours.messages.findIndex(asksForUpgrade);
  const stop = asks < 0 ? Infinity : asks;
  const our = ours.messages.slice(0, stop);
  const node = nodes.messages.slice(0, stop);
  const both = Math.min(our.length, node.length);
  for (let index = 0; index < both; index++) {
    const difference = compareMessages(our[index] as Message, node[index] as Message);
    if (difference !== undefined) return `message ${index}: ${difference}`;
  }
  if (node.length > both && ours.end !== 'refused') {
    return `Node read ${node.length} messages, we ${both} and then: ${ours.end}`;
  }
  const extra = our[both];
  if (extra === undefined) return undefined;
  const isAllowed = allowed.some(
    (entry) => entry.nodeCodes.includes(nodes.detail) && entry.applies(input, our.slice(0, both)),
  );
  return isAllowed
    ? undefined
    : `we read ${our.length} messages, Node ${both} and then: ${nodes.end} ${nodes.detail}`;
}

/** What Node makes of such a request and of all behind it is not one thing in all its versions: we compare up to here. */
function asksForUpgrade({ fields }: Message): boolean {
  const values = (name: string) =>
    fields.filter((_, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === name);
  return values('upgrade').length > 0 && /\bupgrade\b/i.test(values('connection').join());
}

function compareMessages(ours: Message, nodes: Message): string | undefined {
  const differs = (what: string, our: unknown, node: unknown) => {
    const [left, right] = [JSON.stringify(our), JSON.stringify(node)];
    return left === right ? undefined : `${what}: ${left}, Node ${right}`;
  };
  return (
    differs('start line', ours.start, nodes.start) ??
    differs('fields', ours.fields, nodes.fields) ??
    differs('body', ours.body, nodes.body) ??
    (isSubsequence(ours.trailers, nodes.trailers)
      ? undefined
      : differs('trailers', ours.trailers, nodes.trailers))
  );
}

/** We drop trailer fields that Node keeps. */
function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let found = 0;
  for (const item of whole) if (item === part[found]) found++;
  return found === part.length;
}

/** A condition of `.status.conditions` without what the API server's copy adds (times, generation). KEP-1623. */
export interface Condition {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Programmed';
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase, stable. */
  readonly reason: string;
  /** For people; '' when the reason says it all. At most 32,768 characters. */
  readonly message: string;
}

/** Something that has output to gather over turns of the event loop. */
export interface TurnMember {
  /** A turn is over. Returns false to be asked again after the next one. */
  onTurn(): boolean;
}

/**
 * Asks its members at the end of each turn of the event loop whether what they gathered should leave now: one immediate for
 * all of them, and no closure for any. A member is asked until it says so; then it has to be added again.
 */
export class TurnQueue {
  #members: TurnMember[] = [];
  #asked: TurnMember[] = [];
  #count = 0;

  /** Must not be among the members already. */
  add(member: TurnMember): void {
    if (this.#count === 0) setImmediate(askAll, this);
    this.#members[this.#count++] = member;
  }

  /** Of the immediate. */
  ask(): void {
    const asked = this.#members;
    const count = this.#count;
    this.#members = this.#asked;
    this.#asked = asked;
    this.#count = 0;
    for (let index = 0; index < count; index++) {
      const member = asked[index] as TurnMember;
      if (!member.onTurn()) this.add(member);
    }
    // Members that are gone must not be held on to by places that are not used any more.
    asked.length = 0;
  }
}

function askAll(queue: TurnQueue): void {
  queue.ask();
}

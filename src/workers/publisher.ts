import { wholeTable } from '../table/diff-tables.ts';
import type { RouteTable } from '../table/route-table.ts';
import type { TableDelta } from '../table/table-delta.ts';
import type { RowAllocator } from '../telemetry/row-allocator.ts';
import { EndpointSlots } from './endpoint-slots.ts';
import type { SlotBoard } from './endpoint-slots.ts';
import type { Publication } from './messages.ts';

/** What a worker has been sent. A new worker starts with zeros. */
export interface Recipient {
  /** The newest generation posted. */
  sent: number;
  /** Whether that was the whole table. */
  sentWhole: boolean;
  /** How many metric segments it was given. */
  segments: number;
}

type RowSource = Pick<RowAllocator, 'publish' | 'rowOf' | 'segments' | 'segmentCount' | 'acknowledged'>;

/** Turns tables into publications: places in shared memory are given here, and each worker gets the smallest delta that fits. */
export class Publisher {
  readonly #slots: EndpointSlots;
  readonly #rows: RowSource;
  #table: RouteTable | undefined;
  /** The newest table that was live in every worker. */
  #proven: RouteTable | undefined;
  #latest: Omit<Publication, 'segments'> | undefined;
  #whole: Omit<Publication, 'segments'> | undefined;

  constructor(board: SlotBoard, rows: RowSource) {
    this.#slots = new EndpointSlots(board);
    this.#rows = rows;
  }

  /** The newest generation, 0 before the first. */
  get generation(): number {
    return this.#table?.generation ?? 0;
  }

  /** Where an endpoint (`address:port`) stands on the board. */
  slotOf(endpoint: string): number | undefined {
    return this.#slots.slotOf(endpoint);
  }

  /** The newest table and how it came from the one before. */
  advance(table: RouteTable, delta: TableDelta): void {
    this.#table = table;
    this.#whole = undefined;
    this.#latest = {
      delta,
      slots: this.#slots.assign(delta.generation, delta.endpoints),
      rows: this.#rows.publish(delta.generation, delta.routes.set, delta.routes.removed),
    };
  }

  /** What to post next to a worker, undefined when it has everything. Notes in `recipient` that it was sent. */
  next(worker: number, recipient: Recipient): Publication | undefined {
    const latest = this.#latest;
    if (latest === undefined || recipient.sent === latest.delta.generation) return undefined;
    const fits = recipient.sent !== 0 && recipient.sent === latest.delta.base;
    const segments = this.#rows.segments(worker, recipient.segments);
    recipient.segments = this.#rows.segmentCount;
    recipient.sent = latest.delta.generation;
    recipient.sentWhole = !fits;
    if (fits) return { ...latest, segments };
    this.#whole ??= this.#wholeTable(this.#table as RouteTable, this.#slots.all());
    return { ...this.#whole, segments };
  }

  /** For a worker that has no table and cannot take the newest: the whole of the last one that all workers took, if any. */
  fallback(worker: number, recipient: Recipient): Publication | undefined {
    if (this.#proven === undefined) return undefined;
    const segments = this.#rows.segments(worker, recipient.segments);
    recipient.segments = this.#rows.segmentCount;
    recipient.sent = this.#proven.generation;
    recipient.sentWhole = true;
    return { ...this.#wholeTable(this.#proven, this.#slots.held()), segments };
  }

  /** This generation, or a later one, is live in every worker. */
  settled(generation: number): void {
    if (this.#table?.generation === generation) this.#proven = this.#table;
    this.#slots.settled(generation);
    this.#rows.acknowledged(generation);
  }

  #wholeTable(table: RouteTable, slots: ReadonlyMap<string, number>): Omit<Publication, 'segments'> {
    const rows = new Map<string, number>();
    for (const id of table.routes.keys()) {
      const row = this.#rows.rowOf(id);
      if (row !== undefined) rows.set(id, row);
    }
    return { delta: wholeTable(table), slots, rows };
  }
}

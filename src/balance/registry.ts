import type { TableUpstream } from '../table/route-table.ts';
import type { CreateBalancer } from './balancer.ts';
import { createLeastRequest } from './least-request.ts';
import { createRoundRobin } from './round-robin.ts';

/** Every algorithm, by its name in the table. */
export const balancers: Readonly<Record<TableUpstream['balance'], CreateBalancer>> = {
  'round-robin': createRoundRobin,
  'least-request': createLeastRequest,
};

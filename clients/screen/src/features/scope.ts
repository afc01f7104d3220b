import type { ScopeQuery } from '../gql/operations';

/** The signed-in worker, and the area below which the worker may look. */
export type Scope = NonNullable<ScopeQuery['currentWorker']>;

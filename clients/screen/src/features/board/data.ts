import type { BoardChangedSubscription } from '../../gql/operations';

/** The whole state of a board, as every event of the subscription carries it. */
export type BoardData = BoardChangedSubscription['boardChanged'];

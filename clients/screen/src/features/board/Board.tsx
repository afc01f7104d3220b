import { useSubscription } from 'urql';
import { useConnection } from '../../connection/monitor';
import { BoardChangedDocument } from '../../gql/operations';
import { useRoute } from '../route';
import type { Scope } from '../scope';
import { Classes } from './Classes';
import { Feed } from './Feed';
import { Head } from './Head';
import { Ranking } from './Ranking';
import { States } from './States';
import { Totals } from './Totals';
import { Trend } from './Trend';

/** The live board of one area. Give it the area as its key: another area is
 * another board. */
export function Board({ areaId, scope, onSignOut }: { areaId: string; scope: Scope; onSignOut(): void }) {
  const [{ data }] = useSubscription({ query: BoardChangedDocument, variables: { areaId } });
  const connection = useConnection();
  const board = data?.boardChanged;
  return (
    <div className="board" data-connection={connection.kind}>
      <Head board={board} scope={scope} onSignOut={onSignOut} />
      {board ? (
        <main data-level={board.area?.level}>
          <Totals board={board} />
          <Classes byClass={board.byClass} />
          <States byState={board.byState} open={board.totals.open} />
          <Trend trend={board.trend} />
          {board.area?.level !== 'COMMUNITY' && <Ranking ranking={board.ranking} level={board.area?.level} />}
          <Feed feed={board.feed} now={board.generatedAt} />
        </main>
      ) : (
        <Waiting scope={scope} />
      )}
    </div>
  );
}

function Waiting({ scope }: { scope: Scope }) {
  const connection = useConnection();
  const { link } = useRoute();
  return (
    <main className="waiting">
      {connection.kind === 'refused' ? (
        <>
          <p className="waiting-title">{connection.message || '无法查看此区域'}</p>
          <p>
            可查看的区域：<a {...link({ area: scope.area.id })}>{scope.area.name}</a>
          </p>
        </>
      ) : (
        <p className="waiting-title">{connection.kind === 'lost' ? '暂时无法连接服务器' : '正在获取数据'}</p>
      )}
    </main>
  );
}

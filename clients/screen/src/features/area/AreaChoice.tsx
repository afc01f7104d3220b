import { useQuery } from 'urql';
import { AreaChoiceDocument } from '../../gql/operations';
import { Brand } from '../Brand';
import { useRoute } from '../route';
import type { Scope } from '../scope';
import { childrenName } from '../board/words';

/** Lets the worker choose whose board to see, from the own area downwards. */
export function AreaChoice({ areaId, scope }: { areaId: string; scope: Scope }) {
  const { link } = useRoute();
  const [{ data, fetching, error }, again] = useQuery({ query: AreaChoiceDocument, variables: { id: areaId } });
  const area = data?.area;
  const path = area?.path ?? [];
  const mine = path.slice(Math.max(0, path.findIndex(({ id }) => id === scope.area.id)));
  return (
    <div className="choice">
      <header>
        <Brand />
        <p className="choice-who">
          {scope.post} · {scope.name}
        </p>
      </header>
      <main>
        <h1>选择区域</h1>
        {area && (
          <>
            <nav className="crumbs" aria-label="上级区域">
              {mine.length > 1 &&
                mine.map(({ id, name }, i) => (
                <span key={id} className="crumb">
                  {i < mine.length - 1 ? <a {...link({ choose: id })}>{name}</a> : <b>{name}</b>}
                </span>
              ))}
            </nav>
            <a className="choice-own" {...link({ area: area.id })}>
              <b>{area.name}</b>
              <span>查看本级大屏</span>
            </a>
            {area.children.edges.length > 0 && <h2>{childrenName[area.level]}</h2>}
            <ul className="choice-list">
              {area.children.edges.map(({ node }) => (
                <li key={node.id}>
                  <a className="choice-board" {...link({ area: node.id })}>
                    {node.name}
                  </a>
                  {node.level !== 'COMMUNITY' && node.level !== 'GRID' && (
                    <a className="choice-down" {...link({ choose: node.id })}>
                      {childrenName[node.level]}
                    </a>
                  )}
                </li>
              ))}
            </ul>
          </>
        )}
        {!area && (
          <p className="choice-note" role="status">
            {fetching ? '正在获取区域' : error ? '区域获取失败' : '没有这个区域'}
            {!fetching && (
              <>
                <button type="button" className="link" onClick={() => again({ requestPolicy: 'network-only' })}>
                  重试
                </button>
                <a className="link" {...link({ area: scope.area.id })}>
                  返回{scope.area.name}
                </a>
              </>
            )}
          </p>
        )}
      </main>
    </div>
  );
}

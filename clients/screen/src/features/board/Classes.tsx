import type { BoardData } from './data';
import { count, percent, share } from './figures';
import { Panel } from './Panel';
import { className } from './words';

/** Cases by class, as bars: the most frequent first. */
export function Classes({ byClass }: { byClass: BoardData['byClass'] }) {
  const all = byClass.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(1, ...byClass.map(({ count }) => count));
  return (
    <Panel className="classes" title="诉求分类" note={<>累计 {count(all)} 件</>}>
      <ul className="bars">
        {byClass.map((item) => (
          <li key={item.class}>
            <span className="bar-name">{className[item.class] ?? item.class}</span>
            <span className="bar-track">
              <span className="bar" style={{ width: `${share(item.count, most)}%` }} />
            </span>
            <span className="bar-count">{count(item.count)}</span>
            <span className="bar-share">{percent(share(item.count, all))}%</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

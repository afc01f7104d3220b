import { useEffect, useRef } from 'react';
import type { BoardData } from './data';
import { moment } from './figures';
import { Panel } from './Panel';
import { actionName, className, stateWord } from './words';

/** What happened last, the newest first; what is new lights up. */
export function Feed({ feed, now }: { feed: BoardData['feed']; now: string }) {
  const known = useRef<Set<string> | null>(null);
  const before = known.current;
  useEffect(() => {
    known.current = new Set(feed.map(({ id }) => id));
  }, [feed]);
  return (
    <Panel className="feed" title="实时动态" note={`最新 ${feed.length} 条`}>
      <ol>
        {feed.map((item) => (
          <li key={item.id} className={before && !before.has(item.id) ? 'new' : ''}>
            <time dateTime={item.at}>{moment(item.at, now)}</time>
            <span className="chip" style={{ color: stateWord[item.state]?.colour, borderColor: stateWord[item.state]?.colour }}>
              {actionName[item.kind] ?? item.kind}
            </span>
            <p className="feed-title">{item.title}</p>
            <p className="feed-about">
              {item.area?.name ?? '—'}
              <i />
              {className[item.class] ?? item.class}
              <i />
              <span className="case-number">{item.caseNumber}</span>
            </p>
          </li>
        ))}
      </ol>
      {feed.length === 0 && <p className="empty">暂无动态</p>}
    </Panel>
  );
}

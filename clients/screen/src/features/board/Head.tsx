import { useEffect, useState } from 'react';
import { useConnection } from '../../connection/monitor';
import type { Scope } from '../scope';
import { useRoute } from '../route';
import { Brand } from '../Brand';
import type { BoardData } from './data';
import { clock, span } from './figures';

/** The title, the clock, and below them where we are and how fresh it is. */
export function Head({ board, scope, onSignOut }: { board: BoardData | undefined; scope: Scope; onSignOut(): void }) {
  const now = useNow();
  const { date, time, weekday } = clock(now);
  return (
    <header className="head">
      <Brand />
      <h1>{board?.area ? `${board.area.name}意见反馈数据大屏` : '意见反馈数据大屏'}</h1>
      <div className="head-clock">
        <span className="head-date">
          {date} {weekday}
        </span>
        <span className="head-time">{time}</span>
      </div>
      <nav className="crumbs" aria-label="区域">
        <Crumbs board={board} scope={scope} />
        <button type="button" className="link" onClick={onSignOut}>
          退出
        </button>
      </nav>
      <Freshness board={board} now={now} />
    </header>
  );
}

function Crumbs({ board, scope }: { board: BoardData | undefined; scope: Scope }) {
  const { link } = useRoute();
  const path = board?.area?.path ?? [];
  // above the worker's own area there is nothing that the worker may see
  const mine = path.slice(Math.max(0, path.findIndex(({ id }) => id === scope.area.id)));
  return (
    <>
      {mine.map((area, i) => (
        <span key={area.id} className="crumb">
          {i < mine.length - 1 ? <a {...link({ area: area.id })}>{area.name}</a> : <b>{area.name}</b>}
        </span>
      ))}
      <a className="link" {...link({ choose: board?.area?.id ?? scope.area.id })}>
        切换区域
      </a>
    </>
  );
}

/** Whether the numbers are those of now; if not, since when and what is done about it. */
function Freshness({ board, now }: { board: BoardData | undefined; now: number }) {
  const connection = useConnection();
  const at = board && clock(board.generatedAt).time;
  const old = board ? `，以下为 ${at} 的数据` : '';
  return (
    <div className="freshness" data-connection={connection.kind} role="status">
      {connection.kind === 'lost' && (
        <p className="notice">
          连接已中断 {span(now - connection.since)}
          {old}，{connection.retryAt > now ? `${Math.ceil((connection.retryAt - now) / 1000)} 秒后` : '正在'}第 {connection.attempt} 次重连
        </p>
      )}
      {connection.kind === 'connecting' && connection.attempt > 0 && (
        <p className="notice">
          正在第 {connection.attempt} 次重连{old}
        </p>
      )}
      {connection.kind === 'refused' && (
        <p className="notice">
          {connection.message || '服务器拒绝提供数据'}
          {old}
        </p>
      )}
      {at && (
        <span className="data-time">
          数据时间 <b>{at}</b>
        </span>
      )}
      <span className="lamp">{lampText[connection.kind]}</span>
    </div>
  );
}

const lampText = { live: '实时', connecting: '连接中', lost: '已中断', refused: '无法获取' };

/** The present moment, each second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

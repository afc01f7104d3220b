import { useEffect, useRef, useState, type CSSProperties, type RefObject } from 'react';
import type { AreaLevel } from '../../gql/operations';
import { useRoute } from '../route';
import type { BoardData } from './data';
import { count, percent } from './figures';
import { Panel } from './Panel';
import { useRem } from './chart';
import { childrenName } from './words';

const turn = 12_000;
/** The least height of a row, in rem. */
const rowHeight = 2.5;

/** The children of the area in order of merit; longer lists turn their pages. */
export function Ranking({ ranking, level }: { ranking: BoardData['ranking']; level: AreaLevel | undefined }) {
  const { link } = useRoute();
  const body = useRef<HTMLTableSectionElement>(null);
  const { size, row } = useRows(body);
  const pages = Math.max(1, Math.ceil(ranking.length / size));
  const page = useTurning(pages);
  const shown = ranking.slice(page * size, (page + 1) * size);
  return (
    <Panel
      className="ranking"
      title={`${childrenName[level ?? 'GRID']}排名`}
      note={
        pages > 1 && (
          <span className="pages">
            共 {ranking.length} 个 · 第 {page + 1}/{pages} 页
          </span>
        )
      }
    >
      <table style={{ '--row': `${row}px` } as CSSProperties}>
        <thead>
          <tr>
            <th className="rank">名次</th>
            <th className="area">{childrenName[level ?? 'GRID']}</th>
            <th>总数</th>
            <th>未办结</th>
            <th className="rate">办结率</th>
            <th>满意率</th>
          </tr>
        </thead>
        <tbody ref={body} key={page}>
          {shown.map((row) => (
            <tr key={row.area?.id ?? row.rank}>
              <td className="rank">
                <span className={row.rank <= 3 ? `medal medal-${row.rank}` : 'medal'}>{row.rank}</span>
              </td>
              <td className="area">{row.area ? <a {...link({ area: row.area.id })}>{row.area.name}</a> : '—'}</td>
              <td className="number">{count(row.total)}</td>
              <td className="number">{count(row.open)}</td>
              <td className="rate">
                <span className="bar-track">
                  <span className="bar" style={{ width: `${row.closedRate}%` }} />
                </span>
                <span className="number">{percent(row.closedRate)}%</span>
              </td>
              <td className="number">{row.satisfaction == null ? '—' : `${percent(row.satisfaction)}%`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {ranking.length === 0 && <p className="empty">下级区域暂无意见反馈</p>}
    </Panel>
  );
}

/** How many rows fit, and the height in pixels at which they fill the panel. */
function useRows(body: RefObject<HTMLTableSectionElement | null>): { size: number; row: number } {
  const rem = useRem();
  const [rows, setRows] = useState({ size: 8, row: rowHeight * rem });
  useEffect(() => {
    const panel = body.current?.closest('.panel-body');
    if (!panel) return;
    const measure = () => {
      const height = panel.clientHeight - parseFloat(getComputedStyle(panel).paddingBottom);
      const fit = Math.max(4, Math.floor(height / rem / rowHeight));
      // one of them is the head
      setRows({ size: fit - 1, row: Math.max(rowHeight * rem, height / fit) });
    };
    const resized = new ResizeObserver(measure);
    resized.observe(panel);
    return () => resized.disconnect();
  }, [body, rem]);
  return rows;
}

function useTurning(pages: number): number {
  const [page, setPage] = useState(0);
  useEffect(() => {
    if (pages < 2) return;
    const timer = setInterval(() => setPage((now) => now + 1), turn);
    return () => clearInterval(timer);
  }, [pages]);
  return page % pages;
}

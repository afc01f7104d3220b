import { conditionText, layout, placeOf, size, sizeText, timeText } from './model.js';

const cut = (text, length) => (text.length > length ? `…${text.slice(1 - length)}` : text);

/** Graph draws the fetches as boxes, those of a round below each other. */
export function Graph({ plan, timings, colour, chosen, onChoose }) {
  const { nodes, edges, start, width, height } = layout(plan);
  const came = new Map(timings?.fetches.map((fetch) => [fetch.id, fetch]));
  return (
    <svg className="plan-graph" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label="计划图">
      {edges.map((edge) => {
        const half = (edge.x2 - edge.x1) / 2;
        return (
          <path
            key={`${edge.from}-${edge.to}`}
            className={chosen !== null && (edge.from === chosen || edge.to === chosen) ? 'edge marked' : 'edge'}
            d={`M${edge.x1},${edge.y1} C${edge.x1 + half},${edge.y1} ${edge.x2 - half},${edge.y2} ${edge.x2},${edge.y2}`}
          />
        );
      })}
      <g className="start" transform={`translate(${start.x},${start.y})`}>
        <rect width={size.start} height={size.height} rx="8" />
        <text x={size.start / 2} y={size.height / 2 + 5} textAnchor="middle">网关</text>
      </g>
      {nodes.map(({ fetch, x, y }) => {
        const took = came.get(fetch.id);
        const skipped = timings && !took;
        const place = placeOf(fetch);
        return (
          <g
            key={fetch.id}
            className={`fetch${chosen === fetch.id ? ' chosen' : ''}${skipped ? ' skipped' : ''}${took && took.status !== 'ok' ? ' failed' : ''}`}
            transform={`translate(${x},${y})`}
            role="button" tabIndex={0} aria-pressed={chosen === fetch.id} aria-label={`取数 ${fetch.id} ${fetch.subgraph}`}
            onClick={() => onChoose(chosen === fetch.id ? null : fetch.id)}
            onKeyDown={(event) => (event.key === 'Enter' || event.key === ' ') && onChoose(fetch.id)}
          >
            <rect width={size.width} height={size.height} rx="8" />
            <rect className="stripe" width="6" height={size.height} rx="3" fill={colour(fetch.subgraph)} />
            <text className="name" x="18" y="23">{`#${fetch.id} ${fetch.subgraph}`}</text>
            <text className="note" x={size.width - 10} y="23" textAnchor="end">{fetch.kind === 'root' ? '根字段' : '实体'}</text>
            <text className="note" x="18" y="43">{cut(place || (fetch.operation === 'mutation' ? 'mutation' : '根'), 30)}<title>{place}</title></text>
            <text className={took && took.status !== 'ok' ? 'note bad' : 'note'} x="18" y="62">
              {took && (took.status === 'ok'
                ? `${timeText(took.duration)} · ${sizeText(took.bytes)}${took.entities ? ` · ${took.entities} 个实体` : ''}`
                : `失败：${took.status}`)}
              {skipped && '没有可取的，未发送'}
              {!timings && (fetch.when ? `条件 ${cut(conditionText(fetch.when), 24)}` : fetch.round > 0 ? '有对象时才发送' : '必定发送')}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

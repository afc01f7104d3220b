import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { BoardData } from './data';
import { count, percent, share, sparkline } from './figures';

/** The strip of large numbers. */
export function Totals({ board }: { board: BoardData }) {
  const { totals, trend } = board;
  const yesterday = trend.at(-2);
  return (
    <div className="totals">
      <Total name="open" label="未办结" value={count(totals.open)} unit="件">
        累计 <b>{count(totals.total)}</b> 件
      </Total>
      <Total name="submittedToday" label="今日提交" value={count(totals.submittedToday)} unit="件" line={trend.map((day) => day.submitted)}>
        {yesterday && (
          <>
            昨日 <b>{count(yesterday.submitted)}</b> 件
          </>
        )}
      </Total>
      <Total name="closedToday" label="今日办结" tone="good" value={count(totals.closedToday)} unit="件" line={trend.map((day) => day.closed)}>
        {yesterday && (
          <>
            昨日 <b>{count(yesterday.closed)}</b> 件
          </>
        )}
      </Total>
      <Total name="overdue" label="超期未办结" tone={totals.overdue > 0 ? 'bad' : 'good'} value={count(totals.overdue)} unit="件" part={share(totals.overdue, totals.open)}>
        占未办结 <b>{percent(share(totals.overdue, totals.open))}</b>%
      </Total>
      <Total name="satisfaction" label="满意率" tone="good" value={percent(totals.satisfaction)} unit="%" part={totals.satisfaction ?? 0}>
        办结率 <b>{percent(totals.closedRate)}</b>%
      </Total>
      <Total name="activities" label="社区活动" value={count(totals.activities)} unit="场">
        已报名 <b>{count(totals.registrations)}</b> 人次
      </Total>
    </div>
  );
}

interface Props {
  name: string;
  label: string;
  value: string;
  unit: string;
  tone?: 'good' | 'bad';
  /** Thirty days, drawn as a small line. */
  line?: number[];
  /** A percentage 0–100, drawn as a small ring. */
  part?: number;
  children: ReactNode;
}

function Total({ name, label, value, unit, tone, line, part, children }: Props) {
  return (
    <section className={`panel total ${tone ?? ''}`} data-total={name}>
      <h2>{label}</h2>
      <p className="total-value">
        <Changing value={value} />
        <span className="unit">{unit}</span>
      </p>
      <p className="total-note">{children}</p>
      {part !== undefined && (
        <svg className="gauge" viewBox="0 0 100 100" aria-hidden="true">
          <circle className="whole" cx="50" cy="50" r="44" />
          {part > 0 && <circle className="part" cx="50" cy="50" r="44" pathLength={100} strokeDasharray={`${part} 100`} />}
        </svg>
      )}
      {line && line.length > 1 && (
        <svg className="sparkline" viewBox="-2 -4 124 48" preserveAspectRatio="none" aria-hidden="true">
          <polyline points={sparkline(line, 120, 40)} />
        </svg>
      )}
    </section>
  );
}

/** A number that lights up for a moment when it changes. */
export function Changing({ value }: { value: string }) {
  const before = useRef(value);
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    if (before.current !== value) setChanges((n) => n + 1);
    before.current = value;
  }, [value]);
  // a new key starts the animation anew
  return (
    <span className={`number ${changes ? 'changed' : ''}`} key={changes}>
      {value}
    </span>
  );
}

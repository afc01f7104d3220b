import type { ReactNode } from 'react';

interface Props {
  title: string;
  /** Stands at the end of the title's line: a legend, a note. */
  note?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A framed part of the board. */
export function Panel({ title, note, className = '', children }: Props) {
  return (
    <section className={`panel ${className}`}>
      <header className="panel-head">
        <h2>{title}</h2>
        {note && <div className="panel-note">{note}</div>}
      </header>
      <div className="panel-body">{children}</div>
    </section>
  );
}
